// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { SHARED_VOLUMES } from '@agenttier/crds/sandbox/containers';
import type { Container, VolumeMount } from '../core.ts';
import { environment, resourcesOf } from './containerParts.ts';
import { CONTAINER_SECURITY } from './hardening.ts';

type SideContainer = NonNullable<EffectiveSpec['sidecars']>[number];

/** Of a volume that a sidecar names for itself; without a bound it could fill the node. */
const OWN_VOLUME_SIZE = '1Gi';

/** The user's containers that run to their end before the main one. */
export function initContainers({ initContainers: list = [] }: EffectiveSpec): Container[] {
  return list.map(common);
}

/** The user's containers that run beside the main one. */
export function sidecars({ sidecars: list = [] }: EffectiveSpec): Container[] {
  return list.map((container) => {
    const { ports, livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
    const members = { ports, livenessProbe, readinessProbe, startupProbe, lifecycle };
    return { ...common(container), ...(present(members) as Partial<Container>) };
  });
}

/** The empty volumes that these containers name, each once, so that they can share one. */
export function ownVolumes(spec: EffectiveSpec): Readonly<Record<string, unknown>>[] {
  const all = [...(spec.initContainers ?? []), ...(spec.sidecars ?? [])];
  const names = all.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name));
  return [...new Set(names)]
    .filter((name) => !SHARED_VOLUMES.includes(name))
    .map((name) => ({ name: volumeName(name), emptyDir: { sizeLimit: OWN_VOLUME_SIZE } }));
}

/** Nothing is passed on that is not named here: whatever else a spec may come to hold, hardening cannot be undone. */
function common(container: SideContainer): Container {
  const { name, image, imagePullPolicy, command, args, workingDir, env, envFrom } = container;
  return {
    name,
    image,
    ...(present({ imagePullPolicy, command, args, workingDir, envFrom }) as Partial<Container>),
    ...(env ? { env: environment(env) } : {}),
    resources: resourcesOf(container.resources),
    securityContext: CONTAINER_SECURITY,
    volumeMounts: (container.volumeMounts ?? []).map(mount),
  };
}

type Mount = NonNullable<SideContainer['volumeMounts']>[number];

function mount({ name, mountPath, subPath, readOnly }: Mount): VolumeMount {
  return {
    name: volumeName(name),
    mountPath,
    ...(subPath ? { subPath } : {}),
    ...(readOnly ? { readOnly } : {}),
  };
}

/** The prefix keeps a volume of theirs from taking the place of one of ours. */
const volumeName = (name: string): string => (SHARED_VOLUMES.includes(name) ? name : `extra-${name}`);

const present = (members: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
