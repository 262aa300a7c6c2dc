// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { expiry } from '@agenttier/crds/lifecycle/expiry';
import type { Expiry } from '@agenttier/crds/lifecycle/expiry';
import { runOf } from '@agenttier/crds/lifecycle/run';
import { retryDelayMs } from '@agenttier/crds/lifecycle/retry';
import { parseDuration } from '@agenttier/crds/meta/duration';
import { ANNOTATION_ADMITTED_AT } from '@agenttier/crds/meta/labels';
import type { SandboxState } from '../sandbox/state.ts';
import type { Settings } from '../settings.ts';

export const timeOf = (text: string | undefined): number | undefined => {
  const value = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(value) ? undefined : value;
};

/**
 * Whether a running sandbox is to be stopped now or is to be warned, and else when to look again. `usedAt` is a use that
 * the status does not know yet.
 */
export function expiryOf({ sandbox, settings }: SandboxState, now: number, usedAt = 0): Expiry {
  const { lastActivityAt = 0, ...run } = runOf(sandbox);
  const graceMs = graceOf(sandbox, settings);
  return expiry({ ...run, lastActivityAt: Math.max(lastActivityAt, usedAt), graceMs }, now);
}

/** Milliseconds of warning before a stop; "0" asks for none. */
const graceOf = ({ spec }: Sandbox, { gracePeriodMs }: Settings): number =>
  spec?.gracePeriod ? (parseDuration(spec.gracePeriod) ?? gracePeriodMs) : gracePeriodMs;

/** When the present start began: its admission, or the last failure when this is a restart, or the pod's own birth. */
export function attemptStart(state: SandboxState): number | undefined {
  const { metadata, status } = state.sandbox;
  const born = timeOf(state.pod?.metadata.creationTimestamp);
  const refused = [...state.observations.refusals.values()].map(({ since }) => since);
  // Without a pod or a refusal there is nothing to wait for: the next write starts the clock.
  if (born === undefined && refused.length === 0) return undefined;
  const admitted = admittedAt(state.sandbox) ?? timeOf(metadata.creationTimestamp);
  const failed = timeOf(status?.lastFailureAt);
  return Math.max(...[born, admitted, failed, ...refused].filter((time) => time !== undefined));
}

/** Time stamped by admission at creation, in milliseconds; far better than creationTimestamp's whole seconds. */
export function admittedAt(sandbox: Sandbox): number | undefined {
  const value = Number(sandbox.metadata.annotations?.[ANNOTATION_ADMITTED_AT] ?? '');
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

/** Wait before restart number `count` (1 is the first); none while nothing was spent. */
export const restartDelayMs = (count: number, uid: string): number =>
  count > 0 ? retryDelayMs(count, uid) : 0;

/** Even if every watch event were lost, a sandbox on its way up is looked at this often. */
export const SAFETY_MS = 30_000;
