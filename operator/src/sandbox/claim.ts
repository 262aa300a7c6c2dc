// SPDX-License-Identifier: Apache-2.0
import {
  FIELD_MANAGER_OPERATOR,
  LABEL_SANDBOX,
  LABEL_SANDBOX_UID,
  LABEL_TEMPLATE,
  SLOT_STATES,
} from '@agenttier/crds/meta/labels';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { PODS } from '@agenttier/machinery/kube/resource';
import type { Pod } from '../core.ts';
import type { Action } from '../decision/actions.ts';
import { runtimeOf } from '../runtime/address.ts';
import type { RuntimeAnswer } from '../runtime/client.ts';
import { isLost, takeOpen } from '../warmpool/perform.ts';
import { slotToken } from '../warmpool/slot.ts';
import type { FreeSlot } from '../warmpool/slots.ts';
import type { Effect, PerformContext, WarmStarts } from './context.ts';
import { ownerReference } from './ownership.ts';
import { nonceIn } from './tokenSecret.ts';

type Claim = Extract<Action, { do: 'claimSlot' }>;
type Adoption = Extract<Action, { do: 'adoptSlot' }>;

/**
 * Takes a slot: one patch that succeeds for one sandbox only, however many try and whatever their caches say. The loser
 * takes the next slot at once. From that patch on the label on the pod is the truth of the claim; all that follows can
 * be cut off anywhere and is finished by whoever looks at the sandbox next.
 */
export async function claimSlot({ key, template }: Claim, context: PerformContext): Promise<Effect> {
  const { warm, notes, now } = context;
  if (warm === undefined) return 'unchanged';
  for (let slot = warm.slots.take(key); slot; slot = warm.slots.take(key)) {
    if (await isClaimed(slot, template, context)) {
      warm.slots.claimed(slot, 'hit');
      notes.slotClaimed(now());
      return 'changed';
    }
    warm.slots.claimed(slot, 'conflict');
  }
  warm.slots.missed(key);
  notes.slotMissed();
  return 'changed';
}

const label = (name: string, value: string): object => ({
  op: 'add',
  path: `/metadata/labels/${name.replaceAll('/', '~1')}`,
  value,
});

async function isClaimed(
  slot: FreeSlot,
  template: string | undefined,
  context: PerformContext,
): Promise<boolean> {
  const { client, caches, owner, signal } = context;
  const body = [
    ...takeOpen(slot.uid, SLOT_STATES.claimed),
    label(LABEL_SANDBOX, owner.name),
    label(LABEL_SANDBOX_UID, owner.uid),
    ...(template && template.length <= 63 ? [label(LABEL_TEMPLATE, template)] : []),
    { op: 'add', path: '/metadata/ownerReferences', value: [ownerReference(owner)] },
  ];
  const key = { namespace: owner.namespace, name: slot.name };
  const options = { fieldManager: FIELD_MANAGER_OPERATOR, signal };
  try {
    caches.pods.applyLocal(await client.patch<Pod>(PODS, key, { type: 'json', body }, options));
    return true;
  } catch (error) {
    return isLost(error) ? false : isClaimedAfterAll(slot, error, context);
  }
}

/**
 * The answer did not come, so only the API server knows. Should the write arrive even later, when the sandbox has gone
 * on without it, the slot shows up as a second one of this sandbox and is deleted.
 */
async function isClaimedAfterAll(
  { name, uid }: FreeSlot,
  error: unknown,
  { client, caches, owner, signal }: PerformContext,
): Promise<boolean> {
  const live = await client
    .get<Pod>(PODS, { namespace: owner.namespace, name }, { signal })
    .catch((second: unknown) => {
      if (!isNotFound(second)) throw error;
      return undefined;
    });
  const ours = live?.metadata.uid === uid && live?.metadata.labels?.[LABEL_SANDBOX_UID] === owner.uid;
  if (live !== undefined && ours) caches.pods.applyLocal(live);
  return ours;
}

/** How often it is tried: connections that do not come about, and requests that stay without an answer. */
const TRIES = 2;
const ANSWER_MS = 1_000;
/** By then the rules of the pod's network are there, or they keep us out. */
const CONNECT_MS = 1_000;

/**
 * Hands the slot over to its sandbox: variables, and the token by which router and operator speak to it from now on.
 * The runtime takes the same sandbox any number of times, so an answer that was lost is asked for again.
 */
export async function adoptSlot(action: Adoption, context: PerformContext): Promise<Effect> {
  const { warm, notes, now, signal } = context;
  const uid = action.pod.metadata.uid ?? '';
  if (warm === undefined) return 'unchanged';
  for (let tried = 0; tried < TRIES; tried++) {
    const answer = await handOver(action, warm, context);
    if (answer.ok) {
      notes.slotAdopted(uid, now());
      return 'changed';
    }
    if (signal.aborted) return 'halt';
    if (answer.cause === 'refused') break;
  }
  notes.slotUnfit(uid);
  return 'changed';
}

async function handOver(
  { pod, env }: Adoption,
  { ask, tokenKey }: WarmStarts,
  { owner, signal }: PerformContext,
): Promise<RuntimeAnswer<unknown>> {
  const own = runtimeOf(pod, owner.uid, tokenKey);
  if (own === undefined) return { ok: false, cause: 'unreachable', message: 'the pod has no address' };
  const { namespace = '', name = '' } = pod.metadata;
  const before = slotToken(tokenKey, { namespace, name, nonce: nonceIn(pod) ?? '' });
  const variables = env.map(({ name, value }) => (value === undefined ? { name } : { name, value }));
  const body = { sandbox: owner.uid, token: own.token, env: variables };
  const call = {
    method: 'POST',
    path: '/adopt',
    body,
    timeoutMs: CONNECT_MS + ANSWER_MS,
    connectMs: CONNECT_MS,
    signal,
  } as const;
  const answer = await ask({ ...own, token: before }, call);
  // The slot's own token is gone once the kubelet has brought that of the sandbox.
  return answer.ok || answer.status !== 401 ? answer : ask(own, call);
}
