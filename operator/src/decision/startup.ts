// SPDX-License-Identifier: Apache-2.0
import type { SandboxStatus } from '@agenttier/crds/generated/types';
import { LABEL_SLOT } from '@agenttier/crds/meta/labels';
import type { Milestones, SandboxState } from '../sandbox/state.ts';
import type { Tally } from './actions.ts';
import { admittedAt, timeOf } from './deadlines.ts';

export type Startup = NonNullable<SandboxStatus['startup']>;

/**
 * How long the start took that ends now, or undefined when nobody asked for one. A start counts from the admission of the
 * request for it, which the webhook stamps on the object, also on a resume. One request is recorded once: a pod that is
 * replaced after a failure or a drain is no start that anybody asked for.
 */
export function startupOf(state: SandboxState, now: number): Startup | undefined {
  const from = requestedAt(state);
  const failedAt = timeOf(state.sandbox.status?.lastFailureAt) ?? 0;
  if (from === undefined || failedAt >= from) return undefined;
  return {
    path: pathOf(state),
    admittedAt: new Date(from).toISOString(),
    totalMs: Math.max(0, now - from),
    phases: phasesOf(marksOf(state.observations.milestones, now), from),
  };
}

function requestedAt(state: SandboxState): number | undefined {
  const { admittedAt: last, totalMs = 0 } = state.sandbox.status?.startup ?? {};
  const recorded = timeOf(last) ?? 0;
  const stamp = admittedAt(state.sandbox) ?? 0;
  if (stamp > recorded) return stamp;
  // A start that was asked for past admission.
  const { requested = 0 } = state.observations.milestones;
  return requested > recorded + totalMs ? requested : undefined;
}

function pathOf({ sandbox, pod }: SandboxState): NonNullable<Startup['path']> {
  if (sandbox.status?.startup !== undefined) return 'resume';
  return pod?.metadata.labels?.[LABEL_SLOT] === undefined ? 'cold' : 'warm';
}

type Marks = readonly (readonly [phase: string, endedAt: number | undefined])[];

/** In the order in which a start goes through them. The kubelet pulls each image right before the container that needs it. */
function marksOf(milestones: Milestones, now: number): Marks {
  if (milestones.claimed !== undefined) {
    return [
      ['claim', milestones.claimed],
      ['adopt', milestones.adopted],
      ['ready', now],
    ];
  }
  return [
    ['admit', milestones.podCreated],
    ['schedule', milestones.scheduled],
    ['pull', milestones.initPulled],
    ['init', milestones.initialized],
    ['pull', milestones.pulled],
    ['ready', now],
  ];
}

/** The time between each mark and the one before. A mark that was not seen, or seen out of order, is in the next. */
function phasesOf(marks: Marks, from: number): Record<string, number> {
  const phases: Record<string, number> = {};
  let last = from;
  for (const [name, at] of marks) {
    if (at === undefined || at < last) continue;
    phases[name] = (phases[name] ?? 0) + at - last;
    last = at;
  }
  return phases;
}

/** The figures of a start, for the metrics. */
export function startupTally({ sandbox }: SandboxState, startup: Startup): Tally {
  const phases = Object.entries(startup.phases ?? {}).map(([phase, ms]) => [phase, ms / 1000] as const);
  return {
    metric: 'startup',
    path: startup.path ?? 'cold',
    template: sandbox.spec?.resolved?.chain?.at(-1)?.name ?? '',
    seconds: (startup.totalMs ?? 0) / 1000,
    phases,
  };
}
