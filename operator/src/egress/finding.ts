// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { CONDITION_TYPES, findCondition } from '@agenttier/crds/meta/conditions';
import { LABEL_SANDBOX_UID } from '@agenttier/crds/meta/labels';
import { no, refusalReason, yes } from '../decision/finding.ts';
import type { Finding } from '../decision/finding.ts';
import { buildNetworkPolicy, networkPolicyMatches } from '../sandbox/networkPolicy.ts';
import { slotOf } from '../sandbox/objects.ts';
import type { OwnedKind, Refusal, SandboxState } from '../sandbox/state.ts';
import { ciliumPolicyRight } from './drift.ts';
import { enforcedBy } from './enforcer.ts';
import { problemsIn } from './facts.ts';

const MAX_TEXT = 1_000;
const IN_PLACE = 'the NetworkPolicy is in place';

/** The condition NetworkReady. */
export function networkFinding(state: SandboxState): Finding {
  const refusal = policyRefusal(state);
  if (refusal !== undefined) return no(refusalReason(refusal.cause), refusal.message);
  const { networkPolicy, resolution } = state;
  if (networkPolicy === undefined) return no('Applying', 'there is no NetworkPolicy yet');
  if (!resolution.ok || isFreshSlot(state)) return yes('Applied', IN_PLACE);
  if (isUnread(state)) return findingBefore(state) ?? UNREAD;
  return enforcerFinding(state) ?? policiesFinding(state, resolution.spec);
}

function policiesFinding(state: SandboxState, spec: EffectiveSpec): Finding {
  const { owner, settings, network, networkPolicy, pod } = state;
  const desired = buildNetworkPolicy(owner, spec, settings, network);
  if (networkPolicy === undefined || !networkPolicyMatches(networkPolicy, desired)) {
    return no('Applying', 'the NetworkPolicy is being changed');
  }
  if (!ciliumPolicyRight(state, spec)) return no('Applying', 'the CiliumNetworkPolicy is being changed');
  // Nothing is open that should not be, so this does not make the sandbox unusable.
  const problems = problemsIn(network);
  return problems.length === 0
    ? yes('Applied', `${IN_PLACE}${enforcedBy(network.enforcer, pod)}`)
    : yes('ServiceUnresolved', problems.join('; ').slice(0, MAX_TEXT));
}

/** Why nobody holds the sandbox to the names that it lists, so that none is open. */
export function enforcerFinding({ network: { enforcer } }: SandboxState): Finding | undefined {
  if (enforcer?.by === 'none') return no(enforcer.reason, enforcer.message);
  if (enforcer?.by === 'unknown') return UNREAD;
  if (enforcer?.by === 'handover') return no('Applying', 'the CiliumNetworkPolicy gives way to the gateway');
  return undefined;
}

/** A refusal of Cilium's kind is of no account where something else enforces. */
export const refusalCounts = (kind: OwnedKind, { network }: SandboxState): boolean =>
  kind !== 'ciliumPolicy' || network.enforcer?.by === 'cilium';

function policyRefusal(state: SandboxState): Refusal | undefined {
  const { refusals } = state.observations;
  const cilium = refusalCounts('ciliumPolicy', state) ? refusals.get('ciliumPolicy') : undefined;
  return refusals.get('networkPolicy') ?? cilium;
}

const UNREAD = no('Applying', 'the CiliumNetworkPolicies are not read yet');
const isUnread = ({ network }: SandboxState): boolean => network.enforcer?.by === 'unknown';

/** A moment of not knowing, as after a start of the operator, is no news. */
function findingBefore({ sandbox }: SandboxState): Finding | undefined {
  const before = findCondition(sandbox.status?.conditions, CONDITION_TYPES.networkReady);
  return before && (before.status === 'True' ? yes : no)(before.reason, before.message);
}

/** A slot that was claimed a moment ago has its policy from birth; opening it for what the sandbox lets in follows at once. */
const isFreshSlot = ({ networkPolicy }: SandboxState): boolean =>
  slotOf(networkPolicy) !== undefined && networkPolicy?.metadata.labels?.[LABEL_SANDBOX_UID] === undefined;
