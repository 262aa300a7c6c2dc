// SPDX-License-Identifier: Apache-2.0
import { FIELD_MANAGER_OPERATOR, LABEL_MANAGED, ownedLabels } from '@agenttier/crds/meta/labels';
import { isAlreadyExists, isConflict, isNotFound } from '@agenttier/machinery/kube/errors';
import { PERSISTENT_VOLUME_CLAIMS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Action } from '../decision/actions.ts';
import { absent } from './context.ts';
import type { Effect, PerformContext } from './context.ts';
import { isLeftover, isOwnedBy } from './ownership.ts';
import { refusalOf } from './refusal.ts';
import { isTerminating } from './state.ts';
import type { OwnedKind } from './state.ts';
import { RESOURCES, storeOf } from './stores.ts';

/**
 * Safe on an outdated cache because it is a plain create: an object that is there already makes it fail, and then its
 * owner decides. (A server-side apply would silently take a foreign object over, its data with it.)
 */
export async function create(kind: OwnedKind, body: KubeObject, context: PerformContext): Promise<Effect> {
  const { client, owner, notes, signal, now } = context;
  try {
    const made = await client.create(RESOURCES[kind], owner.namespace, body, {
      fieldManager: FIELD_MANAGER_OPERATOR,
      signal,
    });
    storeOf(context.caches, kind).applyLocal(made);
    if (kind === 'pod') notes.podCreated(now());
  } catch (error) {
    if (isAlreadyExists(error)) return adopt(kind, body.metadata.name ?? '', context);
    return refuse(kind, error, context);
  }
  notes.accepted(kind);
  return 'changed';
}

/** Something of that name exists: ours (then the cache was late), an earlier sandbox's, or somebody else's. */
async function adopt(kind: OwnedKind, name: string, context: PerformContext): Promise<Effect> {
  const { client, owner, notes, signal, now, generation } = context;
  const live = await client
    .get(RESOURCES[kind], { namespace: owner.namespace, name }, { signal })
    .catch(absent);
  if (live === undefined) return 'halt';
  if (isOwnedBy(live, owner)) return reclaim(kind, live, context);
  const leftover = isLeftover(live, owner);
  // The garbage collector would remove it in a moment; a volume is left to it alone, since it holds data.
  if (leftover && !isTerminating(live) && kind !== 'pvc') {
    await deleteByUid(kind, { name, uid: live.metadata.uid ?? '' }, context);
    return 'halt';
  }
  const gone = leftover || isTerminating(live);
  const what = `${RESOURCES[kind].kind} ${name}`;
  const message = gone
    ? `an earlier ${what} is still being removed`
    : `${what} exists and does not belong to this Sandbox: delete it, or use another name`;
  notes.refused(kind, { cause: gone ? 'waiting' : 'conflict', message, generation }, now());
  return 'halt';
}

/**
 * Ours, and not in the cache. Either the watch is late, then the cache takes it now. Or somebody took away the label by
 * which it is watched: then it gets its labels back, and is seen again when the watch brings it.
 */
async function reclaim(kind: OwnedKind, live: KubeObject, context: PerformContext): Promise<Effect> {
  const { client, owner, notes, signal, now, generation } = context;
  const { name = '', uid, resourceVersion } = live.metadata;
  const store = storeOf(context.caches, kind);
  store.applyLocal(live);
  if (live.metadata.labels?.[LABEL_MANAGED] === 'true') {
    if (store.get(owner.namespace, name)?.metadata.uid === uid) notes.accepted(kind);
    return 'halt';
  }
  const body = { metadata: { uid, resourceVersion, labels: ownedLabels(owner.name, owner.uid) } };
  const key = { namespace: owner.namespace, name };
  await client.patch(
    RESOURCES[kind],
    key,
    { type: 'merge', body },
    { fieldManager: FIELD_MANAGER_OPERATOR, signal },
  );
  const message = `${RESOURCES[kind].kind} ${name} had lost its labels and gets them back`;
  notes.refused(kind, { cause: 'waiting', message, generation }, now());
  return 'halt';
}

/**
 * Server-side apply of the fields we own, by force: drift is by definition somebody else's value. The uid makes it fail,
 * instead of creating or changing another object, when ours was replaced meanwhile. A body that names a version as well is
 * only for that version.
 */
export async function repair(kind: OwnedKind, body: KubeObject, context: PerformContext): Promise<Effect> {
  const { client, owner, notes, signal } = context;
  const store = storeOf(context.caches, kind);
  const uid = store.get(owner.namespace, body.metadata.name ?? '')?.metadata.uid;
  const pinned = { ...body, metadata: { ...(uid === undefined ? {} : { uid }), ...body.metadata } };
  try {
    store.applyLocal(
      await client.apply(RESOURCES[kind], pinned, {
        fieldManager: FIELD_MANAGER_OPERATOR,
        force: true,
        signal,
      }),
    );
  } catch (error) {
    return refuse(kind, error, context);
  }
  notes.accepted(kind);
  return 'changed';
}

/** Notes an answer that repeating at once would not change; throws every other error. */
function refuse(kind: OwnedKind, error: unknown, { notes, now, generation }: PerformContext): Effect {
  const refusal = refusalOf(error);
  if (refusal === undefined) throw error;
  notes.refused(kind, { ...refusal, generation }, now());
  return 'halt';
}

type Removal = Extract<Action, { do: 'delete' }>;

export async function remove({ kind, name, uid }: Removal, context: PerformContext): Promise<Effect> {
  await deleteByUid(kind, { name, uid }, context);
  context.notes.deleted(uid);
  return 'changed';
}

/** The uid precondition keeps a new object of that name safe: 409 means ours is gone already, as 404 does. */
async function deleteByUid(
  kind: OwnedKind,
  target: { name: string; uid: string },
  context: PerformContext,
): Promise<void> {
  const { client, owner, signal } = context;
  const key = { namespace: owner.namespace, name: target.name };
  const options = { preconditions: { uid: target.uid }, propagationPolicy: 'Background', signal } as const;
  await client.delete(RESOURCES[kind], key, options).catch((error: unknown) => {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  });
}

export async function findPvc(name: string, context: PerformContext): Promise<Effect> {
  const { client, owner, notes, signal } = context;
  const found = await client
    .get(PERSISTENT_VOLUME_CLAIMS, { namespace: owner.namespace, name }, { signal })
    .catch(absent);
  if (found !== undefined) return adopt('pvc', name, context);
  notes.volumeMissing(true);
  return 'halt';
}

type Disownment = Extract<Action, { do: 'disown' }>;

/** For the version that the decision was made on: a conflict means that somebody, most likely we, did it already. */
export async function disown(action: Disownment, context: PerformContext): Promise<Effect> {
  const { client, owner, signal, caches } = context;
  const { kind, name, metadata } = action;
  const patch = { type: 'merge', body: { metadata } } as const;
  const options = { fieldManager: FIELD_MANAGER_OPERATOR, signal };
  const done = await client
    .patch(RESOURCES[kind], { namespace: owner.namespace, name }, patch, options)
    .catch(absent);
  if (done !== undefined) storeOf(caches, kind).applyLocal(done);
  return 'changed';
}
