// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import { parseDuration } from '@agenttier/crds/meta/duration';
import {
  ANNOTATION_SLOT_SHAPE,
  LABEL_COMPAT,
  LABEL_SANDBOX_UID,
  LABEL_SLOT_STATE,
  SLOT_STATES,
} from '@agenttier/crds/meta/labels';
import type { Pod } from '../core.ts';
import { diagnose } from '../sandbox/failure.ts';
import type { Diagnosis } from '../sandbox/failure.ts';
import { compatLabel } from './slot.ts';
import type { Offer, SlotView } from './state.ts';

export interface ViewInput {
  readonly pool: SandboxWarmPool | undefined;
  readonly offer: Offer;
  readonly ready: boolean;
  readonly startDeadlineMs: number;
  readonly now: number;
}

const MAX_AGE_MS = 12 * 3_600_000;

/** One slot as its pool sees it. Claimed ones are their sandbox's; those on their way out are nobody's any more. */
export function viewOf(pod: Pod, input: ViewInput): SlotView | undefined {
  if (!isUnclaimed(pod)) return undefined;
  const bornAt = Date.parse(pod.metadata.creationTimestamp ?? '') || input.now;
  const age = input.now - bornAt;
  const seen = { pod, bornAt, stale: isStale(pod, input.offer), aged: isAged(age, input.pool) };
  if (pod.metadata.labels?.[LABEL_SLOT_STATE] === SLOT_STATES.draining) return { ...seen, kind: 'draining' };
  const problem = problemOf(diagnose(pod), age, input);
  if (problem !== undefined) return { ...seen, kind: 'failed', problem };
  return { ...seen, kind: input.ready ? 'free' : 'building' };
}

function isUnclaimed({ metadata: { labels = {}, deletionTimestamp } }: Pod): boolean {
  const claimed = labels[LABEL_SANDBOX_UID] !== undefined || labels[LABEL_SLOT_STATE] === SLOT_STATES.claimed;
  return !claimed && deletionTimestamp === undefined;
}

function isAged(ageMs: number, pool: SandboxWarmPool | undefined): boolean {
  const maxAge = parseDuration(pool?.spec.maxAge ?? '') ?? MAX_AGE_MS;
  return maxAge > 0 && ageMs >= maxAge;
}

function isStale({ metadata: { labels = {}, annotations = {} } }: Pod, offer: Offer): boolean {
  if (!offer.ok) return offer.undecided !== true;
  const same = labels[LABEL_COMPAT] === compatLabel(offer.fit);
  return !same || annotations[ANNOTATION_SLOT_SHAPE] !== offer.fit.shape;
}

/** Waiting reasons that mean a fault, though it may pass. */
const FAILING: ReadonlySet<string> = new Set(['ErrImagePull', 'ImagePullBackOff', 'CrashLoopBackOff']);

function problemOf(diagnosis: Diagnosis, ageMs: number, input: ViewInput): string | undefined {
  const late = isLate(ageMs, input);
  switch (diagnosis.kind) {
    case 'running':
      return late ? 'its runtime does not answer' : undefined;
    case 'exited':
      return diagnosis.message;
    case 'starting':
      return late || FAILING.has(diagnosis.reason) ? textOf(diagnosis) : undefined;
    case 'stuck':
      return ageMs >= diagnosis.patienceMs ? textOf(diagnosis) : undefined;
    default:
      return textOf(diagnosis);
  }
}

const isLate = (ageMs: number, { ready, startDeadlineMs }: ViewInput): boolean =>
  !ready && startDeadlineMs > 0 && ageMs >= startDeadlineMs;

const textOf = ({ reason, message }: { readonly reason: string; readonly message: string }): string =>
  `${reason}: ${message}`;
