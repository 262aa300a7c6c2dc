// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { decideAgent, withAgent } from '../agent/decide.ts';
import { RECOVERED_AFTER_MS } from '@agenttier/crds/lifecycle/retry';
import { conditionOf, mainStatus } from '../sandbox/failure.ts';
import { READINESS_LOSS_MS } from '../sandbox/pod.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { statusStage } from '../sandbox/status.ts';
import type { Outcome, StatusChanges } from './outcome.ts';
import { planOf } from './actions.ts';
import type { Action, EventNote, Plan } from './actions.ts';
import { READY, refusalFinding } from './conditions.ts';
import type { Finding } from './finding.ts';
import { timeOf } from './deadlines.ts';
import { planHold, STOPPING } from './down.ts';
import { driftActions } from './drift.ts';
import { expired, warningEvents, warningNow, warningOf } from './expiring.ts';
import { spentRestarts } from './heal.ts';
import { startRecord, withTurn } from './hooks.ts';
import { lastUseOf } from './lastUse.ts';
import { resizeTurn } from './resize.ts';
import { upTurn } from './tools.ts';
import { startupOf, startupTally } from './startup.ts';
import { isHandedOver } from './warm.ts';

export interface Up {
  readonly now: number;
  /** The condition PodReady. */
  readonly finding: Finding;
}

/** A sandbox whose pod is up: say so, keep what is around it right, and wake at the next deadline. */
export function planUp(state: SandboxState, spec: EffectiveSpec, up: Up): Plan {
  // A stop that was taken back before the pod was deleted is a start of its own.
  const running = state.sandbox.status?.phase === 'Running' && state.sandbox.status.reason !== STOPPING;
  return running ? planRunning(state, spec, up) : planStarted(state, spec, up);
}

function planStarted(state: SandboxState, spec: EffectiveSpec, up: Up): Plan {
  const drift = driftActions(state, spec, { now: up.now, create: true });
  const status = statusStage(state, started(state, spec, up), up.now);
  return planOf(inOrder(state, drift, status), nextLook(state, up.now));
}

function planRunning(state: SandboxState, spec: EffectiveSpec, { now, finding }: Up): Plan {
  const { ask, usedAt, life } = lastUseOf(state, now);
  if (life.expired !== undefined) return planHold(state, expired(life.expired, spec), now);
  const drift = driftActions(state, spec, { now, create: true });
  const harness = upTurn(state);
  const warning = ask.length > 0 ? warningNow(state) : warningOf(life, spec);
  const resize = resizeTurn(state, spec);
  const said = withTurn(steady(state, { now, finding, warning, usedAt }), harness);
  const outcome = { ...said, resize: resize.pending, events: [...(said.events ?? []), ...resize.events] };
  const agent = decideAgent(state, spec, now);
  const status = statusStage(state, withAgent(outcome, agent), now);
  const drifting = [...drift, ...ask, ...resize.actions, ...agent.before];
  const dues = [life.nextCheckMs, agent.dueMs].filter((ms) => ms !== undefined);
  return planOf([drifting, status, [...harness.actions, ...agent.after]], nextLook(state, now, dues));
}

/** Milliseconds until something is due by the clock alone. */
function nextLook(state: SandboxState, now: number, others: readonly number[] = []): number | undefined {
  const dues = [resetAt(state), ...retries(state)].map((at) => (at ?? 0) - now);
  const due = [...dues, graceLeft(state, now), ...others].filter((ms) => ms > 0);
  return due.length === 0 ? undefined : Math.min(...due);
}

/** What stands around a claimed slot is complete and closed already: that it becomes the sandbox's by name can wait. */
const inOrder = (state: SandboxState, drift: Action[], status: Action[]): Action[][] =>
  isHandedOver(state) ? [status, drift] : [drift, status];

/** Milliseconds in which the kubelet's readiness of a started container says nothing yet; 0 once it does. */
export function graceLeft({ pod }: SandboxState, now: number): number {
  if (pod === undefined || conditionOf(pod, 'Ready')?.status === 'True') return 0;
  const startedAt = timeOf(mainStatus(pod)?.state?.running?.startedAt);
  return startedAt === undefined ? READINESS_LOSS_MS : Math.max(0, startedAt + READINESS_LOSS_MS - now);
}

const retries = (state: SandboxState): number[] =>
  [...state.observations.refusals.values()].map(({ retryAt }) => retryAt);

/** When earlier failures are forgotten; absent when there are none. */
function resetAt(state: SandboxState): number | undefined {
  const { restartCount = 0, startedAt } = state.sandbox.status ?? {};
  const since = timeOf(startedAt);
  return restartCount > 0 && since !== undefined ? since + RECOVERED_AFTER_MS : undefined;
}

interface Steady extends Up {
  readonly warning: Finding | undefined;
  /** A use that the status does not know yet. */
  readonly usedAt: number | undefined;
}

function steady(state: SandboxState, { now, finding, warning, usedAt }: Steady): Outcome {
  const reset = resetAt(state);
  const forget = reset !== undefined && reset <= now;
  const event: EventNote = {
    type: 'Normal',
    reason: 'RestartCountReset',
    note: 'Sandbox has been stable; earlier failures are forgotten',
  };
  const problem = finding.status === 'True' ? refusalFinding(state) : finding;
  return {
    phase: 'Running',
    reason: problem?.reason ?? READY,
    message: problem?.message ?? 'the sandbox can be used',
    pod: finding,
    warning,
    changes: {
      ...(forget ? { restartCount: undefined } : {}),
      ...(usedAt === undefined ? {} : { lastActivityTimestamp: new Date(usedAt).toISOString() }),
    },
    events: [...(forget ? [event] : []), ...warningEvents(state, warning)],
  };
}

/** The moment a start is complete. */
function started(state: SandboxState, spec: EffectiveSpec, { finding, now }: Up): Outcome {
  const startup = startupOf(state, now);
  const changes: StatusChanges = {
    startedAt: new Date(now).toISOString(),
    restartCount: spentRestarts(state),
    harness: startRecord(state, spec),
    ...(startup === undefined ? {} : { startup }),
  };
  const text =
    startup === undefined
      ? 'Sandbox is running again'
      : `Sandbox is running (${startup.path} start, startup: ${startup.totalMs}ms)`;
  return {
    phase: 'Running',
    reason: READY,
    message: 'the sandbox can be used',
    pod: finding,
    changes,
    events: [{ type: 'Normal', reason: 'Running', note: text }, ...credentialEvents(state)],
    tallies: startup === undefined ? [] : [startupTally(state, startup)],
  };
}

/** Which Secrets the sandbox has got, by name: who may read what is a matter of record. */
function credentialEvents({ resolution }: SandboxState): EventNote[] {
  const { credentials = [] } = resolution.ok ? resolution.spec : {};
  if (credentials.length === 0) return [];
  const names = credentials.map(({ secretName }) => secretName).join(', ');
  return [{ type: 'Normal', reason: 'CredentialMounted', note: `The sandbox has got the Secrets ${names}` }];
}
