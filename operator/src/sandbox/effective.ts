// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, Sandbox } from '@agenttier/crds/generated/types';
import { parseDuration } from '@agenttier/crds/meta/duration';

export type EffectiveNetwork = NonNullable<EffectiveSpec['network']>;
export type NetworkRule = NonNullable<
  EffectiveNetwork['egressRules'] | EffectiveNetwork['ingressRules']
>[number];

/** The merged specification that admission wrote, or undefined when admission never saw the object. */
export function effectiveSpec(sandbox: Sandbox): EffectiveSpec | undefined {
  return sandbox.spec?.resolved?.spec;
}

export const DEFAULT_MOUNT_PATH = '/workspace';

export const mountPathOf = (spec: EffectiveSpec): string => spec.storage?.mountPath || DEFAULT_MOUNT_PATH;

/** Milliseconds of a duration field; undefined for "no limit": absent, empty or zero. */
export function limitOf(text: string | undefined): number | undefined {
  const parsed = text === undefined ? undefined : parseDuration(text);
  return parsed !== undefined && parsed > 0 ? parsed : undefined;
}
