// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, Resolved } from '../generated/types.ts';

/** A name that nobody else may give a container. */
export const MEMORY_CONTAINER = 'mem0';
const MEMORY_PORT = 8000;
/** By it the libraries of agents find their memory. */
const URL_VARIABLE = 'MEM0_BASE_URL';
const SIDECAR_ORIGIN = `sidecars[${MEMORY_CONTAINER}]`;
const URL_ORIGIN = `env[${URL_VARIABLE}]`;
const ORIGIN = 'default';

interface Merged {
  readonly spec: EffectiveSpec;
  readonly origins: Readonly<Record<string, string>>;
}

/**
 * Adds the memory of agents, where the installation has one: a sidecar that only the pod itself reaches, with its data on
 * the sandbox's volume. It stands in the merged specification like any other, so policies judge its image, and a
 * prepared pod without it fits no sandbox that has it.
 */
export function withMemory<M extends Merged>(merged: M, image: string | undefined): M {
  const { spec, origins } = merged;
  if (image === undefined || spec.mode !== 'agent') return merged;
  const mountPath = spec.storage?.mountPath || '/workspace';
  const hasUrl = (spec.env ?? []).some(({ name }) => name === URL_VARIABLE);
  const url = hasUrl ? [] : [{ name: URL_VARIABLE, value: `http://localhost:${MEMORY_PORT}` }];
  return {
    ...merged,
    spec: {
      ...spec,
      env: [...(spec.env ?? []), ...url],
      sidecars: [...(spec.sidecars ?? []), sidecar(image, mountPath)],
    },
    origins: { ...origins, [SIDECAR_ORIGIN]: ORIGIN, ...(hasUrl ? {} : { [URL_ORIGIN]: ORIGIN }) },
  };
}

/** The specification without what was added, for what is judged of people's own containers only. */
export function withoutMemory({ spec = {}, origins = {} }: Resolved): EffectiveSpec {
  const { sidecars } = spec;
  if (sidecars === undefined || origins[SIDECAR_ORIGIN] !== ORIGIN) return spec;
  return { ...spec, sidecars: sidecars.filter(({ name }) => name !== MEMORY_CONTAINER) };
}

type Sidecar = NonNullable<EffectiveSpec['sidecars']>[number];

function sidecar(image: string, mountPath: string): Sidecar {
  return {
    name: MEMORY_CONTAINER,
    image,
    env: [
      { name: 'MEM0_HOST', value: '127.0.0.1' },
      { name: 'MEM0_PORT', value: String(MEMORY_PORT) },
      { name: 'MEM0_DATA_DIR', value: `${mountPath}/.agenttier/memory` },
      // The root file system is read-only: what is written beside the data goes where everybody may write.
      { name: 'HOME', value: '/tmp' },
    ],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '500m', memory: '512Mi' } },
    volumeMounts: [
      { name: 'workspace', mountPath },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}
