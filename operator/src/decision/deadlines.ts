// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, Sandbox } from '@agenttier/crds/generated/types';
import { formatDuration } from '@agenttier/crds/meta/duration';
import { ANNOTATION_ADMITTED_AT } from '@agenttier/crds/meta/labels';
import { sha256Hex } from '@agenttier/crds/meta/hash';
import { limitOf } from '../sandbox/effective.ts';
import type { SandboxState } from '../sandbox/state.ts';

/** Times are milliseconds since the epoch. */
export interface Expiry {
  readonly at: number;
  readonly reason: 'IdleTimeout' | 'MaxRuntime';
  readonly message: string;
}

export const timeOf = (text: string | undefined): number | undefined => {
  const value = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(value) ? undefined : value;
};

/** When a running sandbox is to be stopped, by whichever limit comes first. */
export function expiryOf(sandbox: Sandbox, spec: EffectiveSpec): Expiry | undefined {
  const startedAt = timeOf(sandbox.status?.startedAt);
  if (startedAt === undefined) return undefined;
  const lastActivity = timeOf(sandbox.status?.lastActivityTimestamp) ?? startedAt;
  const runtime = limitOf(spec.timeout);
  const idle = limitOf(spec.idleTimeout);
  const limits: Expiry[] = [];
  if (runtime !== undefined) {
    const message = `it ran for its maximum of ${formatDuration(runtime)}`;
    limits.push({ at: startedAt + runtime, reason: 'MaxRuntime', message });
  }
  if (idle !== undefined) {
    const message = `it was not used for ${formatDuration(idle)}`;
    limits.push({ at: Math.max(lastActivity, startedAt) + idle, reason: 'IdleTimeout', message });
  }
  return limits.sort((a, b) => a.at - b.at)[0];
}

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

/** Failures that are answered with a new pod before the sandbox is given up. */
export const MAX_RESTARTS = 5;
/** Time as Running after which earlier failures are forgotten. */
export const RESTART_RESET_MS = 5 * 60_000;

const FIRST_DELAY_MS = 10_000;
const JITTER = 0.2;

/**
 * Wait before restart number `count` (1 is the first): 10 s doubled each time, spread by a fifth so that sandboxes of
 * one lost node do not all come back in the same second. The spread is taken from the uid, so that every evaluation of
 * one wait agrees.
 */
export function restartDelayMs(count: number, uid: string): number {
  if (count <= 0) return 0;
  const share = Number.parseInt(sha256Hex(`${uid}/${count}`).slice(0, 8), 16) / 0xffff_ffff;
  return Math.round(FIRST_DELAY_MS * 2 ** (count - 1) * (1 - JITTER + 2 * JITTER * share));
}

/** Even if every watch event were lost, a sandbox on its way up is looked at this often. */
export const SAFETY_MS = 30_000;
