// SPDX-License-Identifier: Apache-2.0

/** metav1.Condition. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

/** Types of the conditions of a Sandbox (kubernetes.md 1.7). */
export const CONDITION_TYPES = {
  resolved: 'Resolved',
  volumeReady: 'VolumeReady',
  networkReady: 'NetworkReady',
  podReady: 'PodReady',
  ready: 'Ready',
  idleWarning: 'IdleWarning',
  resizePending: 'ResizePending',
  toolsReady: 'ToolsReady',
  configured: 'Configured',
  policyCompliant: 'PolicyCompliant',
  backupFailing: 'BackupFailing',
} as const;

/**
 * The list with `condition` in it. The transition time moves only when the status changes, and a list that would
 * be equal is returned as it is, so that callers can compare by identity.
 */
export function setCondition(
  list: readonly Condition[],
  condition: Omit<Condition, 'lastTransitionTime'>,
  now: Date,
): readonly Condition[] {
  const index = list.findIndex((item) => item.type === condition.type);
  const old = list[index];
  const lastTransitionTime =
    old !== undefined && old.status === condition.status ? old.lastTransitionTime : rfc3339(now);
  const next: Condition = { ...condition, lastTransitionTime };
  if (old === undefined) return [...list, next];
  return sameCondition(old, next) ? list : list.with(index, next);
}

export function findCondition(list: readonly Condition[] | undefined, type: string): Condition | undefined {
  return list?.find((item) => item.type === type);
}

export function isTrue(list: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(list, type)?.status === 'True';
}

/** metav1.Time has whole seconds: the API server would cut the rest and each comparison would then differ. */
function rfc3339(now: Date): string {
  return now.toISOString().replace(/\.[0-9]+Z$/, 'Z');
}

function sameCondition(a: Condition, b: Condition): boolean {
  return (
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.observedGeneration === b.observedGeneration
  );
}
