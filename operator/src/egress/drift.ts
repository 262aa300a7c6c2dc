// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import type { CiliumNetworkPolicy, NetworkPolicy } from '../core.ts';
import { deletionOf } from '../decision/actions.ts';
import type { Action } from '../decision/actions.ts';
import { blockOf } from '../decision/block.ts';
import type { DriftOptions } from '../decision/block.ts';
import { buildNetworkPolicy, networkPolicyMatches } from '../sandbox/networkPolicy.ts';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { buildCiliumPolicy, ciliumPolicyMatches, hasForeignParts } from './ciliumPolicy.ts';

/**
 * Writes that bring the policies of a sandbox to what they should be. The two add up, so what closes comes first: a
 * CiliumNetworkPolicy that is to go is gone before the gateway is opened (`handover`), and one that is to come waits for the
 * NetworkPolicy to be without the gateway. Where nothing is open yet and nothing runs, both are made together.
 */
export function networkActions(state: SandboxState, spec: EffectiveSpec, options: DriftOptions): Action[] {
  const body = buildNetworkPolicy(state.owner, spec, state.settings, state.network);
  const policy = policyAction(state, body, options);
  const { networkPolicy: live } = state;
  const narrowed = live === undefined ? state.pod === undefined : networkPolicyMatches(live, body);
  const cilium = ciliumAction(state, spec, { ...options, narrowed });
  return [policy, cilium].flatMap((action) => action ?? []);
}

function policyAction(
  state: SandboxState,
  body: NetworkPolicy,
  { now, create }: DriftOptions,
): Action | undefined {
  if (blockOf(state, 'networkPolicy', now)) return undefined;
  const live = state.networkPolicy;
  if (live === undefined) return create ? { do: 'create', kind: 'networkPolicy', body } : undefined;
  // For the moment in which nobody knows who enforces, what is there stays: closing it would cut what runs.
  if (state.network.enforcer?.by === 'unknown' || networkPolicyMatches(live, body)) return undefined;
  return { do: 'repair', kind: 'networkPolicy', body };
}

const ciliumPolicyOf = (state: SandboxState, spec: EffectiveSpec): CiliumNetworkPolicy => {
  const { owner, settings, network } = state;
  const { egress = [] } = buildNetworkPolicy(owner, spec, settings, network).spec;
  return buildCiliumPolicy(owner, spec, settings, egress);
};

function ciliumAction(
  state: SandboxState,
  spec: EffectiveSpec,
  { now, create, narrowed }: DriftOptions & { readonly narrowed: boolean },
): Action | undefined {
  const { ciliumPolicy: live, network } = state;
  if (live !== undefined && isTerminating(live)) return undefined;
  if (network.enforcer?.by !== 'cilium') return live && deletionOf('ciliumPolicy', live);
  if (!narrowed || blockOf(state, 'ciliumPolicy', now)) return undefined;
  const body = ciliumPolicyOf(state, spec);
  if (live === undefined) return create ? { do: 'create', kind: 'ciliumPolicy', body } : undefined;
  return correction(live, body);
}

function correction(live: CiliumNetworkPolicy, body: CiliumNetworkPolicy): Action | undefined {
  // It is made again in the next round, and until then names are closed.
  if (hasForeignParts(live, body)) return deletionOf('ciliumPolicy', live);
  return ciliumPolicyMatches(live, body) ? undefined : { do: 'repair', kind: 'ciliumPolicy', body };
}

/** Whether the CiliumNetworkPolicy of the sandbox is as it should be: there and right, or not there. */
export function ciliumPolicyRight(state: SandboxState, spec: EffectiveSpec): boolean {
  const { ciliumPolicy: live, network } = state;
  if (network.enforcer?.by !== 'cilium') return live === undefined;
  return live !== undefined && !isTerminating(live) && ciliumPolicyMatches(live, ciliumPolicyOf(state, spec));
}

/** Whether a pod that starts after these actions finds the names open that it lists. */
export function reachesNames(state: SandboxState, spec: EffectiveSpec, drift: readonly Action[]): boolean {
  const { enforcer } = state.network;
  if (enforcer === undefined || enforcer.by === 'gateway') return true;
  if (enforcer.by !== 'cilium') return false;
  const written = drift.some((one) => one.do === 'create' && one.kind === 'ciliumPolicy');
  return written || ciliumPolicyRight(state, spec);
}
