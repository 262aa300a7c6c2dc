// SPDX-License-Identifier: Apache-2.0
import { RETRY_BUDGET } from '@agenttier/crds/lifecycle/retry';
import type { Loss } from '../sandbox/failure.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { statusStage } from '../sandbox/status.ts';
import type { Outcome } from './outcome.ts';
import { planOf } from './actions.ts';
import type { Plan } from './actions.ts';
import { no } from './finding.ts';
import { restartDelayMs } from './deadlines.ts';
import { deletePod, planHold } from './down.ts';
import { holdOf } from './hold.ts';

/** Reason of the status between a loss and the next pod. */
export const RESTART_BACKOFF = 'RestartBackoff';

/**
 * A pod was lost: count it, remove what is left of it, wait, start again on the same volume.
 *
 * The count is stored before the dead pod is deleted, under the resourceVersion it was decided on, so that one death is
 * counted once: whoever comes later finds the reason RestartBackoff and only finishes the removal. A node that is lost
 * for good needs nothing from us here: Kubernetes' own pod garbage collector removes pods of nodes that are gone or
 * marked out-of-service, and removing them by force any earlier could mount the volume twice.
 */
export function planLoss(state: SandboxState, loss: Loss, now: number): Plan {
  const { status } = state.sandbox;
  const counted = status?.phase === 'Creating' && status.reason === RESTART_BACKOFF;
  if (counted) return planOf([deletePod(state)]);
  const restartCount = (spentRestarts(state) ?? 0) + (loss.spendsBudget ? 1 : 0);
  if (restartCount > RETRY_BUDGET) return planExhausted(state, loss, now);
  const delay = loss.spendsBudget ? restartDelayMs(restartCount, state.owner.uid) : 0;
  const message = `${loss.message} (restart ${restartCount} of ${RETRY_BUDGET})`;
  const outcome: Outcome = {
    phase: 'Creating',
    reason: RESTART_BACKOFF,
    message,
    pod: no(loss.reason, message),
    // Without a spent budget the wait is none, and lastFailureAt stays that of the last real failure.
    changes: {
      startedAt: undefined,
      restartCount,
      ...(loss.spendsBudget ? { lastFailureAt: new Date(now).toISOString() } : {}),
    },
    events: [{ type: 'Warning', reason: 'Restarting', note: `${loss.reason}: ${message}` }],
    tallies: [{ metric: 'restart', reason: loss.reason }],
  };
  return planOf([statusStage(state, outcome, now), deletePod(state)], Math.max(1, delay));
}

/** Restarts that count against the budget. A start from Stopped or Error is the user's own and has a new budget. */
export function spentRestarts({ sandbox }: SandboxState): number | undefined {
  const { phase, restartCount } = sandbox.status ?? {};
  return phase === 'Stopped' || phase === 'Error' ? undefined : restartCount;
}

function planExhausted(state: SandboxState, loss: Loss, now: number): Plan {
  const message = `given up after ${RETRY_BUDGET} restarts, the last for ${loss.reason}: ${loss.message}; set annotation agenttier.io/retry to try again`;
  return planHold(state, holdOf('RestartLimitExceeded', message), now, {
    pod: no(loss.reason, loss.message),
  });
}
