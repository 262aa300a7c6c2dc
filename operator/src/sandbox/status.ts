// SPDX-License-Identifier: Apache-2.0
import type { SandboxStatus } from '@agenttier/crds/generated/types';
import { derivePhase } from '@agenttier/crds/lifecycle/phase';
import type { PhaseSummary, StopReason } from '@agenttier/crds/lifecycle/phase';
import { equalJson } from '@agenttier/crds/meta/canonical';
import type { Condition } from '@agenttier/crds/meta/conditions';
import type { Action } from '../decision/actions.ts';
import { deriveConditions } from '../decision/conditions.ts';
import { timeOf } from '../decision/deadlines.ts';
import { retryValue } from '../decision/hold.ts';
import type { Outcome } from '../decision/outcome.ts';
import { volumeEvents, volumeStatus } from '../volume/status.ts';
import { sharedWith, sharingEvents } from './sharing.ts';
import type { SandboxState } from './state.ts';

/** The stage that stores the outcome; none when the status says so already. */
export function statusStage(state: SandboxState, outcome: Outcome, now: number): Action[] {
  const before = state.sandbox.status ?? {};
  const status = nextStatus(state, outcome, now);
  if (equalJson(before, status)) return [];
  const events = [
    ...(outcome.events ?? []),
    ...volumeEvents(before, status),
    ...sharingEvents(before, status),
  ];
  return [{ do: 'status', status, events, tallies: outcome.tallies ?? [] }];
}

export function nextStatus(state: SandboxState, outcome: Outcome, now: number): SandboxStatus {
  const { sandbox, pod } = state;
  const conditions = deriveConditions(state, outcome, now);
  const status = withoutAbsent({
    ...sandbox.status,
    ...summary(state, outcome, conditions),
    podName: pod?.metadata.name,
    lastNode: lastNode(state, outcome),
    ...identityFields(state),
    ...volumeStatus(state, outcome.phase, now),
    sharedWith: sharedWith(sandbox),
    observedGeneration: sandbox.metadata.generation,
    observedRetry: retryValue(sandbox) || undefined,
    conditions,
    ...outcome.changes,
  });
  return withoutAbsent({ ...status, runSeconds: runSeconds(sandbox.status, status, now) });
}

/** A run that ends is counted by the very write that ends it, so that it is counted once. */
function runSeconds(
  before: SandboxStatus | undefined,
  after: SandboxStatus,
  now: number,
): number | undefined {
  const since = timeOf(before?.startedAt);
  if (since === undefined || after.startedAt === before?.startedAt) return before?.runSeconds;
  return (before?.runSeconds ?? 0) + Math.max(0, Math.round((now - since) / 1000));
}

/** Only with Running: on the way there it would cost a write of its own. */
const lastNode = ({ sandbox, pod }: SandboxState, { phase }: Outcome): string | undefined =>
  (phase === 'Running' ? pod?.spec.nodeName : undefined) ?? sandbox.status?.lastNode;

/** Phase, reason and message, derived from the conditions by the one function that every reader of them knows. */
function summary(
  { sandbox, pod }: SandboxState,
  { phase, hold }: Outcome,
  conditions: readonly Condition[],
): PhaseSummary {
  return derivePhase({
    deleting: sandbox.metadata.deletionTimestamp !== undefined,
    desiredState: sandbox.spec?.desiredState ?? 'Running',
    conditions,
    podExists: pod !== undefined,
    started: phase === 'Running',
    ...(hold?.outcome === 'Stopped' ? { stopReason: hold.reason as StopReason } : {}),
  });
}

/** What the sandbox is made from, and the volume that stays its own for life. */
function identityFields({ sandbox, pvc }: SandboxState): {
  readonly [F in keyof SandboxStatus]?: SandboxStatus[F] | undefined;
} {
  const { chain = [] } = sandbox.spec?.resolved ?? {};
  return {
    pvcName: sandbox.status?.pvcName ?? pvc?.metadata.name,
    resolvedTemplate: chain.at(-1)?.name,
    templateChain: chain.length > 0 ? chain : undefined,
  };
}

function withoutAbsent(
  status: { readonly [F in keyof SandboxStatus]: SandboxStatus[F] | undefined },
): SandboxStatus {
  return Object.fromEntries(
    Object.entries(status).filter(([, value]) => value !== undefined),
  ) as SandboxStatus;
}
