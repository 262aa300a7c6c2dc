// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, Sandbox } from '@agenttier/crds/generated/types';
import type { Pod } from '../core.ts';
import { mountPathOf } from '../sandbox/effective.ts';
import { slotOf } from '../sandbox/objects.ts';
import { mainEnvironment } from '../sandbox/pod.ts';
import { hasIdentity } from '../sandbox/serviceAccount.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { planOf } from './actions.ts';
import type { Action, Plan } from './actions.ts';
import { planHold } from './down.ts';
import { holdOf } from './hold.ts';

/**
 * Whether the sandbox may take a prepared pod: at its very first start, when there is no volume yet that it could lose.
 * Never for a resume, a restart, or a volume that begins as a copy of another one.
 */
export function mayTakeSlot({ sandbox, pod, pvc, resolution }: Omit<SandboxState, 'slotKey'>): boolean {
  const copied = Object.keys(sandbox.spec ?? {}).some((field) => /^(clone|restore)/.test(field));
  const fresh = !hasBegun(sandbox) && pod === undefined && pvc === undefined;
  return (
    resolution.ok && fresh && !copied && !hasIdentity(resolution.spec) && sandbox.spec?.warmPool !== 'Never'
  );
}

const hasBegun = ({ status }: Sandbox): boolean =>
  Boolean(status?.pvcName || status?.startup || status?.restartCount || status?.podName);

const templateOf = ({ spec }: Sandbox): string | undefined => spec?.resolved?.chain?.at(-1)?.name;

/** The first start as a claim, or nothing when it is to be a cold one. */
export function planClaim(state: SandboxState, now: number): Plan | undefined {
  const { sandbox, slotKey, observations } = state;
  if (!mayTakeSlot(state)) return undefined;
  if (slotKey !== undefined && !observations.slotMissed) {
    return planOf([[{ do: 'claimSlot', key: slotKey, template: templateOf(sandbox) }]]);
  }
  if (sandbox.spec?.warmPool !== 'Require') return undefined;
  const why = slotKey === undefined ? 'no pool keeps pods that equal it' : 'no prepared pod was free';
  const message = `spec.warmPool is Require and ${why}: set annotation agenttier.io/retry to try again`;
  return planHold(state, holdOf('WarmPoolMiss', message), now);
}

/**
 * The way from a claim to a sandbox in use. Nothing else is written before the runtime knows whose it is: above all not
 * the token Secret, by which it is spoken to until then.
 */
export function planAdoption(
  { sandbox, pod, observations }: SandboxState,
  spec: EffectiveSpec,
): Plan | undefined {
  const uid = pod?.metadata.uid;
  if (pod === undefined || slotOf(pod) === undefined || sandbox.status?.phase === 'Running') return undefined;
  if (observations.adoptedPod === uid) return undefined;
  if (observations.unfitPod === uid) return planOf([[removal(pod)]]);
  return planOf([[{ do: 'adoptSlot', pod, env: mainEnvironment(spec, mountPathOf(spec)) }]]);
}

/** Whether this is the moment at which a claimed slot becomes a sandbox in use. */
export const isHandedOver = ({ pod, observations }: SandboxState): boolean =>
  pod !== undefined && observations.adoptedPod === pod.metadata.uid;

/** Slots beside the pod: claimed by writes whose answers were lost. No volume of theirs was ever used. */
export const surplusRemovals = ({ surplus = [] }: SandboxState): Action[] => surplus.map(removal);

const removal = ({ metadata }: Pod): Action => ({
  do: 'delete',
  kind: 'pod',
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
});
