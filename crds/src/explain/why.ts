// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '../generated/types.ts';
import { type Expiry, expiry } from '../lifecycle/expiry.ts';
import { runOf } from '../lifecycle/run.ts';
import { retryDelayMs } from '../lifecycle/retry.ts';
import { type Condition, CONDITION_TYPES, findCondition } from '../meta/conditions.ts';
import { QUIET_REASONS, REASONS } from './reasons.ts';

/** An Event about the sandbox, as far as it is looked at. */
export interface SandboxEvent {
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  /** Milliseconds of the epoch. */
  readonly at: number;
}

export interface Why {
  readonly name: string;
  readonly namespace: string;
  readonly phase: string;
  readonly reason: string;
  /** One paragraph in plain sentences. */
  readonly text: string;
}

/**
 * Why a sandbox is as it is: what it waits for, why it was stopped or given up, and what comes next. `now` is in
 * milliseconds of the epoch.
 */
export function whyOf(sandbox: Sandbox, events: readonly SandboxEvent[], now: number): Why {
  const { name = '', namespace = '' } = sandbox.metadata;
  const { phase, reason } = summaryOf(sandbox);
  const known = REASONS[reason];
  const cause = heldText(sandbox, phase) ?? known?.is ?? reasonText(reason);
  const head = `Sandbox ${name} is ${phase}${sinceText(sandbox, phase, now)}: ${cause}.`;
  const said = [head, ...messageOf(sandbox, known?.plain === true)];
  const details = [...said, ...conditionTexts(sandbox, said), ...eventTexts(sandbox, events, said)];
  const text = [...details, ...nextTexts(sandbox, reason, now)].join(' ');
  return { name, namespace, phase, reason, text };
}

function summaryOf(sandbox: Sandbox): { phase: string; reason: string } {
  const { status = {}, metadata, spec } = sandbox;
  if (metadata.deletionTimestamp !== undefined) return { phase: 'Deleting', reason: 'Deleting' };
  if (status.phase === undefined) {
    return { phase: 'Creating', reason: spec?.resolved === undefined ? 'Unresolved' : 'Pending' };
  }
  // The wish may be newer than what the operator has seen.
  const stale = spec?.desiredState === 'Stopped' && status.phase === 'Running';
  return { phase: status.phase, reason: stale ? 'Stopping' : (status.reason ?? 'Pending') };
}

/** The hold of a stopped sandbox names the time that ran out or the exit code, which its summary does not. */
function heldText({ status }: Sandbox, phase: string): string | undefined {
  const held = findCondition(conditionsOf(status), 'Held');
  const tells = phase === 'Stopped' && held?.status === 'True' && held.reason === status?.reason;
  return tells ? held.message.replace(/\.$/, '') || undefined : undefined;
}

/** A reason that this version does not know, in words: `NodeShutdown` reads "node shutdown". */
const reasonText = (reason: string): string =>
  reason.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase() || 'no reason is given';

/** The message of the status as a sentence of its own, unless the words for the reason say the same. */
function messageOf({ status = {}, metadata }: Sandbox, plain: boolean): string[] {
  const message = status.message?.trim() ?? '';
  return plain || message === '' || metadata.deletionTimestamp !== undefined ? [] : [sentence(message)];
}

function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(whole) ? whole : `${whole}.`;
}

/** `, for 2m`: since the condition Ready last turned, which is when the phase did or before. */
function sinceText({ status, metadata }: Sandbox, phase: string, now: number): string {
  const ready = findCondition(conditionsOf(status), CONDITION_TYPES.ready)?.lastTransitionTime;
  const begun = phase === 'Running' ? (status?.startedAt ?? ready) : ready;
  const since = timeOf(metadata.deletionTimestamp ?? begun ?? metadata.creationTimestamp);
  return since === undefined ? '' : `, for ${spanText(now - since)}`;
}

const conditionsOf = (status: Sandbox['status']): readonly Condition[] => status?.conditions ?? [];

const TOPICS: Readonly<Record<string, string>> = {
  Resolved: 'Its spec',
  VolumeReady: 'Its volume',
  NetworkReady: 'Its network',
  PodReady: 'Its pod',
  PolicyCompliant: 'Policy',
};

/**
 * What other conditions know beyond the summary. That a stopped sandbox has no pod is no news; that policy would refuse
 * its resume is.
 */
function conditionTexts(sandbox: Sandbox, said: readonly string[]): string[] {
  const { phase } = summaryOf(sandbox);
  if (phase === 'Deleting') return [];
  const all = conditionsOf(sandbox.status);
  const told = phase === 'Stopped' ? all.filter(({ type }) => type === 'PolicyCompliant') : all;
  return told.flatMap((condition) => conditionText(condition, said));
}

/** Conditions that are only there while there is something to say. */
const REMARKS: Readonly<Record<string, string>> = {
  Drifted: REASONS['TemplateChanged']?.is ?? '',
  [CONDITION_TYPES.resizePending]: REASONS['Resizing']?.is ?? '',
};

function conditionText({ type, status, reason, message }: Condition, said: readonly string[]): string[] {
  const remark = status === 'True' ? REMARKS[type] : undefined;
  if (remark !== undefined) return [sentence(`note that ${message || remark}`)];
  const topic = TOPICS[type];
  const tells = topic !== undefined && status === 'False' && !QUIET_REASONS.has(reason);
  if (!tells || repeats(message, said)) return [];
  return [sentence(`${topic}: ${message || reasonText(reason)}`)];
}

function repeats(message: string, said: readonly string[]): boolean {
  const text = said.join(' ').toLowerCase();
  return text.includes(message.replace(/\.$/, '').toLowerCase());
}

/** The latest warning of this sandbox (not of an earlier one of the name), if it adds something. */
function eventTexts(sandbox: Sandbox, events: readonly SandboxEvent[], said: readonly string[]): string[] {
  const phase = sandbox.status?.phase;
  if (phase === 'Running' || phase === 'Stopped' || sandbox.metadata.deletionTimestamp !== undefined)
    return [];
  const warnings = events.filter(({ type }) => type === 'Warning').toSorted((a, b) => b.at - a.at);
  const [last] = warnings;
  if (last === undefined || repeats(last.note.replace(/^\w+: /, ''), said)) return [];
  return [sentence(`the last warning was ${last.reason}: ${last.note}`)];
}

/** What comes next: by the clock where that is known, else in the words for the reason. */
function nextTexts(sandbox: Sandbox, reason: string, now: number): string[] {
  const phase = summaryOf(sandbox).phase;
  if (phase === 'Running' && reason === 'Ready') return expiryTexts(sandbox, now);
  if (reason === 'RestartBackoff') return backoffTexts(sandbox, now);
  if (phase === 'Stopped' && sandbox.spec?.autoResume) return [WAKES];
  return [...adviceFor(reason), ...restartTexts(sandbox, phase)];
}

const adviceFor = (reason: string): string[] => {
  const next = REASONS[reason]?.next;
  return next === undefined ? [] : [next];
};

function restartTexts({ status }: Sandbox, phase: string): string[] {
  const restarts = status?.restartCount ?? 0;
  return phase === 'Creating' && restarts > 0 ? [`It has been restarted ${times(restarts)}.`] : [];
}

const WAKES = 'Its files are kept; using it starts it again.';

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

function backoffTexts({ status, metadata }: Sandbox, now: number): string[] {
  const { restartCount = 0, lastFailureAt } = status ?? {};
  const failed = timeOf(lastFailureAt);
  if (failed === undefined || restartCount === 0)
    return ['It is started again at once, with the same files.'];
  const wait = failed + retryDelayMs(restartCount, metadata.uid ?? '') - now;
  return [`It is started again ${wait <= 0 ? 'now' : `in ${spanText(wait)}`}, with the same files.`];
}

/** When a running sandbox will be stopped by its timeouts. */
function expiryTexts(sandbox: Sandbox, now: number): string[] {
  const { timeout = '', idleTimeout = '' } = sandbox.spec?.resolved?.spec ?? {};
  const { timeoutMs = 0, idleTimeoutMs = 0, ...run } = runOf(sandbox);
  if (run.startedAt === undefined) return [];
  const texts = [
    ...untilText(expiry({ ...run, timeoutMs }, now), `when its timeout of ${timeout} is over`),
    ...untilText(
      expiry({ ...run, idleTimeoutMs }, now),
      `if it is not used, by its idle timeout of ${idleTimeout}`,
    ),
  ];
  return texts.length === 0 ? ['It runs until it is stopped.'] : texts;
}

function untilText({ expired, nextCheckMs }: Expiry, words: string): string[] {
  if (expired !== undefined) return [`It is about to be stopped ${words}.`];
  return nextCheckMs === undefined ? [] : [`It stops in ${spanText(nextCheckMs)} ${words}.`];
}

function timeOf(text: string | undefined): number | undefined {
  const value = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(value) ? undefined : value;
}

const SECOND = 1000;
const UNITS = [
  { suffix: 'd', size: 86_400 * SECOND },
  { suffix: 'h', size: 3_600 * SECOND },
  { suffix: 'm', size: 60 * SECOND },
  { suffix: 's', size: SECOND },
] as const;

/** A span as people say it, by its two largest units: `45s`, `2m30s`, `3h`, `2d4h`. */
export function spanText(milliseconds: number): string {
  const span = Math.max(0, Math.round(milliseconds / SECOND) * SECOND);
  const first = UNITS.findIndex(({ size }) => span >= size);
  if (first < 0) return '0s';
  let rest = span;
  const parts = UNITS.slice(first, first + 2).map(({ suffix, size }) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? '' : `${count}${suffix}`;
  });
  return parts.join('');
}
