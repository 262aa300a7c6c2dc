// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { parseDuration } from '@agenttier/crds/meta/duration';
import { planSecretName } from '@agenttier/crds/meta/names';
import { parseQuantity } from '@agenttier/crds/meta/quantity';
import type { Container, VolumeMount } from '../core.ts';
import type { Identity } from '../sandbox/ownership.ts';
import { contentOf, modeOf } from './content.ts';

export const SCRIPTS_CONTAINER = 'agenttier-init-scripts';

const PLAN_VOLUME = 'agenttier-plan';
const PLAN_DIR = '/agenttier/plan';

/** Arguments with which a command of the runtime finds the plan. */
export const planArguments = (mountPath: string): string[] => ['--plan', PLAN_DIR, '--workdir', mountPath];

export const PLAN_MOUNT: VolumeMount = { name: PLAN_VOLUME, mountPath: PLAN_DIR, readOnly: true };

/** Whether the first init container has files to bring into the workspace. */
export const hasFiles = (spec: EffectiveSpec): boolean => contentOf(spec)?.hasFiles === true;

/** All contents in one volume: the operator's own Secrets and the keys that the user names. */
export function planVolumes(
  owner: Identity,
  spec: EffectiveSpec,
): readonly Readonly<Record<string, unknown>>[] {
  const content = contentOf(spec);
  if (content === undefined) return [];
  const own = content.bundles.map(({ hash, data }) => ({
    secret: {
      name: planSecretName(owner.name, hash),
      items: Object.keys(data).map((key) => ({ key, path: key, mode: modeOf(content, key) })),
    },
  }));
  const others = content.externals.map(({ kind, name, item }) => ({ [kind]: { name, items: [item] } }));
  return [{ name: PLAN_VOLUME, projected: { defaultMode: 0o440, sources: [...own, ...others] } }];
}

/** Files outside the workspace lie on the read-only root: each is mounted at its place. */
export function outsideMounts(spec: EffectiveSpec): VolumeMount[] {
  return (contentOf(spec)?.outside ?? []).map(({ path, source }) => ({
    name: PLAN_VOLUME,
    mountPath: path,
    subPath: source,
    readOnly: true,
  }));
}

/**
 * Runs the init scripts in the sandbox's own image, with its variables, credentials, user and limits, so that they find
 * there what they will find later. `main` is the main container, `runtime` the program of the platform in it.
 */
export function scriptsContainer(
  spec: EffectiveSpec,
  main: Container,
  { runtime, mountPath }: { readonly runtime: string; readonly mountPath: string },
): Container[] {
  if (contentOf(spec)?.hasScripts !== true) return [];
  const { ports: _ports, startupProbe: _startup, readinessProbe: _readiness, ...shared } = main;
  return [
    {
      ...shared,
      name: SCRIPTS_CONTAINER,
      command: [runtime, 'scripts', ...planArguments(mountPath)],
      // What the init container does not say itself is then the end of its log.
      terminationMessagePolicy: 'FallbackToLogsOnError',
      // The token of the runtime is for the runtime only.
      volumeMounts: [...(main.volumeMounts ?? []).filter(({ name }) => name !== 'agenttier-run'), PLAN_MOUNT],
    },
  ];
}

/** How the runtime runs terminals. */
export function terminalArguments({ harness }: EffectiveSpec): string[] {
  const { scrollbackBytes, detachedTTL, alternateScreen } = harness?.terminal ?? {};
  const bytes = scrollbackBytes === undefined ? 0n : (parseQuantity(scrollbackBytes) ?? 0n) / 1000n;
  const ms = detachedTTL ? (parseDuration(detachedTTL) ?? 0) : 0;
  return [
    ...(bytes > 0n ? ['--scrollback-bytes', String(bytes)] : []),
    ...(ms > 0 ? ['--detached-ttl', `${ms}ms`] : []),
    ...(alternateScreen === 'Keep' ? ['--keep-alternate-screen'] : []),
  ];
}

/** What the runtime holds the sandbox's programs to. */
export function limitArguments({ harness }: EffectiveSpec): string[] {
  const { maxCommandTimeout, maxFileSize } = harness?.constraints ?? {};
  const ms = maxCommandTimeout ? (parseDuration(maxCommandTimeout) ?? 0) : 0;
  const bytes = maxFileSize === undefined ? 0n : (parseQuantity(maxFileSize) ?? 0n) / 1000n;
  return [
    ...(ms > 0 ? ['--max-command-timeout', `${ms}ms`] : []),
    ...(bytes > 0n ? ['--max-file-bytes', String(bytes)] : []),
  ];
}
