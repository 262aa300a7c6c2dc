// SPDX-License-Identifier: Apache-2.0
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import type { Action, Plan } from './actions.ts';
import { SAFETY_MS, timeOf } from './deadlines.ts';

/** How long a pod may be late with its end. `deletionTimestamp` contains the pod's own grace already. */
const LATE_MS = 60_000;

/**
 * The plan, and for a pod that does not end: whether its node still exists. Only a kubelet can say that containers have
 * ended; without one the pod would stay for ever, and the sandbox with it. Taking it away while its node may still run it
 * could mount the volume twice, so that happens only where the node is gone or an administrator has marked it
 * `out-of-service`. Kubernetes' own pod garbage collector does the same in most cases; this is for when it does not.
 */
export function withLostNode(plan: Plan, { pod }: SandboxState, now: number): Plan {
  const due = timeOf(pod?.metadata.deletionTimestamp);
  if (pod === undefined || due === undefined || !isTerminating(pod)) return plan;
  const late = now - due - LATE_MS;
  if (late < 0) return sooner(plan, -late);
  const { name = '', uid = '' } = pod.metadata;
  const action: Action = { do: 'releaseLostPod', name, uid, node: pod.spec.nodeName ?? '' };
  return sooner({ ...plan, stages: [...plan.stages, [action]] }, SAFETY_MS);
}

const sooner = (plan: Plan, ms: number): Plan => ({
  ...plan,
  requeueAfterMs: Math.min(plan.requeueAfterMs ?? ms, ms),
});
