// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { networkActions } from '../egress/drift.ts';
import { buildServiceAccount, hasSurplusIdentity, serviceAccountMatches } from '../sandbox/serviceAccount.ts';
import { slotOf } from '../sandbox/objects.ts';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import { buildTokenSecret, nonceIn, tokenSecretMatches } from '../sandbox/tokenSecret.ts';
import { claimActions } from '../volume/drift.ts';
import { deletionOf } from './actions.ts';
import type { Action } from './actions.ts';
import { blockOf } from './block.ts';
import type { DriftOptions } from './block.ts';
import { provisionActions } from './provision.ts';

/** Reason of the status between the command to resume and the first look at what is there. */
export const RESUMING = 'Resuming';

/**
 * Writes that bring the objects around the pod to what they should be, in any phase. Comparing needs no API call, so
 * each reconcile of a sandbox checks all of them.
 */
export function driftActions(state: SandboxState, spec: EffectiveSpec, options: DriftOptions): Action[] {
  const actions = [
    serviceAccountAction(state, spec, options),
    ...networkActions(state, spec, options),
    tokenAction(state, options),
    ...claimActions(state, spec, options),
  ];
  const provision = blockOf(state, 'planSecret', options.now)
    ? []
    : provisionActions(state, spec, options.create);
  return [...actions.flatMap((action) => action ?? []), ...provision];
}

function serviceAccountAction(
  state: SandboxState,
  spec: EffectiveSpec,
  options: DriftOptions,
): Action | undefined {
  // A slot runs under the account of its pool; the sandbox gets its own with its first pod of its own.
  if (blockOf(state, 'serviceAccount', options.now) || slotOf(state.pod) !== undefined) return undefined;
  const body = buildServiceAccount(state.owner, spec);
  const live = state.serviceAccount;
  if (live !== undefined && !isTerminating(live) && hasSurplusIdentity(live, body))
    return deletionOf('serviceAccount', live);
  if (live === undefined) return options.create ? { do: 'create', kind: 'serviceAccount', body } : undefined;
  return serviceAccountMatches(live, body) ? undefined : { do: 'repair', kind: 'serviceAccount', body };
}

/** A repair is for the version that it was decided on: two operators must never write different tokens. */
function tokenAction(state: SandboxState, options: DriftOptions): Action | undefined {
  if (blockOf(state, 'tokenSecret', options.now)) return undefined;
  const body = buildTokenSecret(state.owner, tokenNonce(state, options), state.settings.tokenKey);
  const live = state.tokenSecret;
  if (live === undefined) return options.create ? { do: 'create', kind: 'tokenSecret', body } : undefined;
  if (tokenSecretMatches(live, body)) return undefined;
  const { uid = '', resourceVersion = '' } = live.metadata;
  const pinned = { ...body, metadata: { ...body.metadata, uid, resourceVersion } };
  return { do: 'repair', kind: 'tokenSecret', body: pinned };
}

/**
 * What the runtime token is derived with, beside the uid. A resume gets a new one, so that a token that leaked from an
 * earlier run opens nothing. It is changed only while there is no pod: a runtime that is up learns of another token by a
 * file that the kubelet refreshes within a minute or so. From the pod on, the pod says it: the router goes by that.
 */
export function tokenNonce(state: SandboxState, { now, create }: DriftOptions): string {
  const made = nonceIn(state.pod) ?? nonceIn(state.tokenSecret);
  if (made === undefined) return String(now);
  return create && isResuming(state) && !isOfThisStart(state, made, now) ? String(now) : made;
}

function isResuming({ sandbox, pod }: SandboxState): boolean {
  const { phase, reason } = sandbox.status ?? {};
  return pod === undefined && (phase === 'Stopped' || reason === RESUMING);
}

/** A start whose pod is refused is planned many times, and needs one new token. */
function isOfThisStart({ observations }: SandboxState, nonce: string, now: number): boolean {
  const { requested = now } = observations.milestones;
  return Number(nonce) >= requested && Number(nonce) <= now;
}
