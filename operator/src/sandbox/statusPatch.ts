// SPDX-License-Identifier: Apache-2.0
import type { SandboxStatus } from '@agenttier/crds/generated/types';
import { equalJson } from '@agenttier/crds/meta/canonical';

/**
 * Merge patch (RFC 7386) from one status to another: only fields that differ, null for those that went. The router
 * writes `lastActivityTimestamp`, so a field that the decision did not touch must not be sent.
 */
export function statusPatch(before: SandboxStatus, after: SandboxStatus): Record<string, unknown> {
  const fields = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof SandboxStatus>;
  const patch: Record<string, unknown> = {};
  for (const field of fields) {
    if (!equalJson(before[field], after[field])) patch[field] = mergeValue(before[field], after[field]);
  }
  return patch;
}

/** Objects are merged by the API server too: members that went must be named, or they would stay. */
function mergeValue(before: unknown, after: unknown): unknown {
  if (!isObject(before) || !isObject(after)) return after ?? null;
  const gone = Object.keys(before).filter((key) => !(key in after));
  const kept = Object.entries(after).map(([key, value]) => [key, mergeValue(before[key], value)]);
  return Object.fromEntries([...gone.map((key) => [key, null]), ...kept]);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
