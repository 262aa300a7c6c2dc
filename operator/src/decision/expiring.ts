// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import type { Expiry, ExpiryReason } from '@agenttier/crds/lifecycle/expiry';
import { CONDITION_TYPES, findCondition } from '@agenttier/crds/meta/conditions';
import type { SandboxState } from '../sandbox/state.ts';
import type { EventNote } from './actions.ts';
import { yes } from './finding.ts';
import type { Finding } from './finding.ts';
import { holdOf } from './hold.ts';
import type { Hold } from './hold.ts';

/** The hold of a sandbox whose time is over. */
export const expired = (reason: ExpiryReason, { timeout, idleTimeout }: EffectiveSpec): Hold =>
  reason === 'MaxRuntime'
    ? holdOf(reason, `it ran for its timeout of ${timeout}`)
    : holdOf(reason, `it was not used for its idle timeout of ${idleTimeout}`);

/** The condition IdleWarning: there from the beginning of the grace until the stop, or until use takes it back. */
export function warningOf({ warning }: Expiry, { timeout, idleTimeout }: EffectiveSpec): Finding | undefined {
  if (warning === undefined) return undefined;
  const at = new Date(warning.at).toISOString();
  return warning.reason === 'MaxRuntime'
    ? yes(
        warning.reason,
        `it stops at ${at}, when its timeout of ${timeout} is over; use does not change that`,
      )
    : yes(warning.reason, `it stops at ${at} by its idle timeout of ${idleTimeout}, unless it is used`);
}

/** The warning as it is, while nobody knows better. */
export function warningNow({ sandbox }: SandboxState): Finding | undefined {
  const before = findCondition(sandbox.status?.conditions, CONDITION_TYPES.idleWarning);
  return before?.status === 'True' ? yes(before.reason, before.message) : undefined;
}

/** What is to be told of the warning, beside the condition: that it began, or that use has ended it. */
export function warningEvents({ sandbox }: SandboxState, warning: Finding | undefined): EventNote[] {
  const before = findCondition(sandbox.status?.conditions, CONDITION_TYPES.idleWarning);
  if (before?.reason === warning?.reason) return [];
  if (warning !== undefined)
    return [{ type: 'Warning', reason: 'IdleWarning', note: `Sandbox: ${warning.message}` }];
  return [{ type: 'Normal', reason: 'IdleWarningCancelled', note: 'Sandbox is in use again and stays up' }];
}

/** Told just before the pod of an expired sandbox is ended. */
export const EXPIRED_EVENTS: Readonly<Record<string, string>> = {
  IdleTimeout: 'IdleTimeout',
  MaxRuntime: 'MaxRuntimeReached',
};
