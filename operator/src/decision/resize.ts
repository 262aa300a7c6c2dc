// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { CONDITION_TYPES, findCondition } from '@agenttier/crds/meta/conditions';
import { compareQuantity } from '@agenttier/crds/meta/quantity';
import type { Pod, ResourceAmounts } from '../core.ts';
import { resourcesOf } from '../sandbox/containerParts.ts';
import { conditionOf, mainStatus } from '../sandbox/failure.ts';
import { MAIN_CONTAINER } from '../sandbox/pod.ts';
import type { SandboxState } from '../sandbox/state.ts';
import type { Action, EventNote } from './actions.ts';
import { yes } from './finding.ts';
import type { Finding } from './finding.ts';

/** What a change of `spec.resources` comes to while the sandbox is up. */
export interface ResizeTurn {
  readonly actions: readonly Action[];
  /** The condition ResizePending; absent when the pod has what the spec asks for. */
  readonly pending?: Finding;
  readonly events: readonly EventNote[];
}

/**
 * Gives a pod that is up the CPU and memory that its spec asks for now, where the cluster can do that (the subresource
 * `resize` of pods, Kubernetes 1.33 and newer). Where it cannot, or says no, the change waits for the next start, as every
 * other change of the spec does. Nothing is ever restarted for it.
 */
export function resizeTurn(state: SandboxState, spec: EffectiveSpec): ResizeTurn {
  const { pod } = state;
  if (pod === undefined) return { actions: [], events: [] };
  const wanted = amountsOf(resourcesOf(spec.resources));
  if (isGiven(wanted, amountsOf(main(pod)?.resources))) return told(state, underWay(pod, wanted));
  const refused = refusalOf(state);
  if (refused !== undefined) return told(state, yes('NextStart', `${ASIDE} at the next start: ${refused}`));
  const turn = told(state, yes('Resizing', 'the pod is asked to change its CPU and memory'));
  // The API server refuses it for a container that no node has reported yet; that report brings the next look.
  return mainStatus(pod)?.state?.running === undefined ? turn : { ...turn, actions: [request(pod, wanted)] };
}

/** What was said to this generation of the spec. */
function refusalOf({ sandbox, observations }: SandboxState): string | undefined {
  const { resizeRefused: refused } = observations;
  return refused?.generation === sandbox.metadata.generation ? refused?.message : undefined;
}

function request({ metadata }: Pod, resources: Amounts): Action {
  return { do: 'resizePod', name: metadata.name ?? '', uid: metadata.uid ?? '', resources };
}

const ASIDE = 'the new CPU and memory take effect';

const main = (pod: Pod) => pod.spec.containers.find(({ name }) => name === MAIN_CONTAINER);

/** The node has the last word: it may have no room, now or ever. */
function underWay(pod: Pod, wanted: Amounts): Finding | undefined {
  const waiting = conditionOf(pod, 'PodResizePending');
  if (waiting?.status === 'True') {
    const text = waiting.message || 'the node has no room for it';
    return yes(
      waiting.reason || 'Deferred',
      `${ASIDE} when the node has room, or at the next start: ${text}`,
    );
  }
  const running = mainStatus(pod)?.resources;
  const there = running === undefined || isGiven(wanted, amountsOf(running));
  if (there && conditionOf(pod, 'PodResizeInProgress')?.status !== 'True') return undefined;
  return yes('Resizing', 'the node is changing the CPU and memory of the pod');
}

/** Says each step once. */
function told({ sandbox }: SandboxState, pending: Finding | undefined): ResizeTurn {
  const before = findCondition(sandbox.status?.conditions, CONDITION_TYPES.resizePending);
  if (before?.reason === pending?.reason) return { actions: [], events: [], ...(pending ? { pending } : {}) };
  if (pending === undefined) {
    const note = 'Sandbox has the CPU and memory that its spec asks for';
    return { actions: [], events: [{ type: 'Normal', reason: 'Resized', note }] };
  }
  const type = pending.reason === 'Resizing' ? 'Normal' : 'Warning';
  return {
    actions: [],
    pending,
    events: [{ type, reason: pending.reason, note: `Sandbox: ${pending.message}` }],
  };
}

type Amounts = Required<ResourceAmounts>;
const RESIZABLE = ['cpu', 'memory'] as const;

/** Requests and limits of what can be changed in place. A limit without a request is its own request. */
function amountsOf({ requests = {}, limits = {} }: ResourceAmounts = {}): Amounts {
  const pick = (amounts: Amounts['limits']): Record<string, string | number> =>
    Object.fromEntries(Object.entries(amounts).filter(([name]) => RESIZABLE.some((one) => one === name)));
  return { requests: { ...pick(limits), ...pick(requests) }, limits: pick(limits) };
}

/** What the spec leaves open may have been filled in by the cluster (a LimitRange), and is no difference. */
function isGiven(wanted: Amounts, live: Amounts): boolean {
  return (['requests', 'limits'] as const).every((kind) =>
    Object.entries(wanted[kind]).every(([name, amount]) => sameAmount(amount, live[kind][name])),
  );
}

const sameAmount = (a: string | number, b: string | number | undefined): boolean =>
  b !== undefined && compareQuantity(String(a), String(b)) === 0;
