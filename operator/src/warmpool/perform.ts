// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { SandboxWarmPool, SandboxWarmPoolStatus } from '@agenttier/crds/generated/types';
import { equalJson } from '@agenttier/crds/meta/canonical';
import { FIELD_MANAGER_OPERATOR, LABEL_SLOT_STATE, SLOT_STATES } from '@agenttier/crds/meta/labels';
import { poolAccountName } from '@agenttier/crds/meta/names';
import { SANDBOX_WARM_POOLS } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isAlreadyExists, isConflict, isKubeError, isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { BY_SLOT } from '../caches.ts';
import type { Caches } from '../caches.ts';
import type { Pod } from '../core.ts';
import { slotPlanSecrets } from '../harness/secrets.ts';
import { slotOf } from '../sandbox/objects.ts';
import { refusalOf } from '../sandbox/refusal.ts';
import type { OwnedKind } from '../sandbox/state.ts';
import { statusPatch } from '../sandbox/statusPatch.ts';
import { RESOURCES, storeOf } from '../sandbox/stores.ts';
import type { Settings } from '../settings.ts';
import type { PoolMemory } from './memory.ts';
import { buildPoolAccount, buildSlot } from './slot.ts';
import type { Offer } from './state.ts';

export interface PoolContext {
  readonly client: Pick<KubeClient, 'create' | 'patch' | 'delete'>;
  readonly caches: Caches;
  readonly settings: Settings;
  readonly memory: PoolMemory;
  readonly namespace: string;
  readonly pool: string;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Whether an answer says that the object is not, or no longer, what the write was meant for. */
export const isLost = (error: unknown): boolean =>
  isNotFound(error) || isConflict(error) || (isKubeError(error) && error.status === 422);

const SLOT_STATE_PATH = `/metadata/labels/${LABEL_SLOT_STATE.replaceAll('/', '~1')}`;

/** First operations of a patch that takes an open slot: they fail for all but one of those who try. */
export const takeOpen = (uid: string | undefined, state: string): readonly object[] => [
  { op: 'test', path: '/metadata/uid', value: uid },
  { op: 'test', path: SLOT_STATE_PATH, value: SLOT_STATES.open },
  { op: 'replace', path: SLOT_STATE_PATH, value: state },
];

/**
 * Builds one slot: what keeps it closed first, the pod last. A refusal is noted, and what was made of the slot is swept;
 * other errors reject.
 */
export async function build(offer: Extract<Offer, { ok: true }>, context: PoolContext): Promise<void> {
  const { memory, namespace, pool, settings, now } = context;
  const name = `slot-${offer.fit.compat.slice(0, 8)}-${randomName()}`;
  const { spec, template, fit } = offer;
  const objects = buildSlot({ namespace, pool, name, spec, template, fit, settings, nonce: String(now()) });
  memory.inFlight.add(name);
  try {
    await ensureAccount(context);
    const { networkPolicy, tokenSecret, pvc, pod } = objects;
    await Promise.all([
      make('networkPolicy', networkPolicy, context),
      make('tokenSecret', tokenSecret, context),
      make('pvc', pvc, context),
    ]);
    const made = await make('pod', pod, context);
    await Promise.all(slotPlanSecrets(made, spec).map((body) => make('planSecret', body, context)));
  } catch (error) {
    memory.drained.add(name);
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    memory.refused(refusal.message, now());
  } finally {
    memory.inFlight.delete(name);
  }
}

/** Letters and digits that are read without doubt. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

const randomName = (): string =>
  [...randomBytes(10)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');

async function ensureAccount(context: PoolContext): Promise<void> {
  const { caches, namespace, pool } = context;
  if (caches.serviceAccounts.get(namespace, poolAccountName(pool)) !== undefined) return;
  await make('serviceAccount', buildPoolAccount(namespace, pool), context).catch((error: unknown) => {
    // Several slots are begun at once, and an account is as good whoever made it.
    if (!isAlreadyExists(error)) throw error;
  });
}

async function make(kind: OwnedKind, body: KubeObject, context: PoolContext): Promise<KubeObject> {
  const { client, caches, namespace, signal } = context;
  const options = { fieldManager: FIELD_MANAGER_OPERATOR, signal };
  const made = await client.create(RESOURCES[kind], namespace, body, options);
  storeOf(caches, kind).applyLocal(made);
  return made;
}

/**
 * Takes a slot out of use and deletes it. The patch decides against a claim that is under way: only one of the two gets
 * the slot. The delete is for the very version that the patch made; when something was reported meanwhile the next round
 * deletes, since nobody takes a slot that is draining.
 */
export async function drain(pod: Pod, context: PoolContext): Promise<void> {
  const { client, caches, memory, namespace, signal } = context;
  const { name = '', labels = {}, uid } = pod.metadata;
  const key = { namespace, name };
  const options = { fieldManager: FIELD_MANAGER_OPERATOR, signal };
  try {
    const out =
      labels[LABEL_SLOT_STATE] === SLOT_STATES.draining
        ? pod
        : await client.patch<Pod>(
            RESOURCES.pod,
            key,
            { type: 'json', body: takeOpen(uid, SLOT_STATES.draining) },
            options,
          );
    caches.pods.applyLocal(out);
    memory.drained.add(name);
    const { resourceVersion } = out.metadata;
    const preconditions = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
    await client.delete(RESOURCES.pod, key, { preconditions, propagationPolicy: 'Background', signal });
  } catch (error) {
    if (!isLost(error)) throw error;
  }
}

/** Deletes what is left of a slot whose pod is gone; each object only as it was when that was decided. */
export async function sweep(name: string, context: PoolContext): Promise<void> {
  const { caches, memory, namespace, pool } = context;
  for (const kind of ['pvc', 'tokenSecret', 'networkPolicy'] as const) {
    const parts = storeOf(caches, kind)
      .byIndex(BY_SLOT, `${namespace}/${pool}`)
      .filter((part) => slotOf(part) === name && part.metadata.deletionTimestamp === undefined);
    for (const part of parts) await erase(kind, part, context);
  }
  memory.swept(name);
}

/** The account of a pool that is gone, once no pod of it is left. */
export async function eraseAccount(context: PoolContext): Promise<void> {
  const { caches, namespace, pool } = context;
  const account = caches.serviceAccounts.get(namespace, poolAccountName(pool));
  if (account !== undefined) await erase('serviceAccount', account, context);
}

async function erase(kind: OwnedKind, { metadata }: KubeObject, context: PoolContext): Promise<void> {
  const { client, namespace, signal } = context;
  const { name = '', uid, resourceVersion } = metadata;
  const preconditions = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
  await client
    .delete(RESOURCES[kind], { namespace, name }, { preconditions, signal })
    .catch((error: unknown) => {
      if (!isLost(error)) throw error;
    });
}

/** Stores the status when it says something new; totals are taken off what is yet to be stored. */
export async function writePoolStatus(
  pool: SandboxWarmPool,
  status: SandboxWarmPoolStatus,
  context: PoolContext,
): Promise<boolean> {
  const { client, caches, namespace, signal } = context;
  const before = pool.status ?? {};
  if (equalJson(before, status)) return false;
  // The version keeps totals from being added twice.
  const { resourceVersion } = pool.metadata;
  const body = { metadata: { resourceVersion }, status: statusPatch(before, status) };
  const options = { subresource: 'status', fieldManager: FIELD_MANAGER_OPERATOR, signal } as const;
  const key = { namespace, name: context.pool };
  const updated = await client.patch<SandboxWarmPool & KubeObject>(
    SANDBOX_WARM_POOLS,
    key,
    { type: 'merge', body },
    options,
  );
  caches.pools.applyLocal(updated);
  return true;
}
