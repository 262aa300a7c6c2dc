// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { Sandbox } from '@agenttier/crds/generated/types';
import {
  ANNOTATION_ACTION,
  FIELD_MANAGER_OPERATOR,
  FINALIZER,
  LABEL_SANDBOX_UID,
} from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isAlreadyExists, isConflict, isKubeError, isNotFound } from '@agenttier/machinery/kube/errors';
import { PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Caches } from '../caches.ts';
import type { Pod } from '../core.ts';
import type { Action, EventNote, Plan, Tally } from '../decision/actions.ts';
import type { Notes } from './notes.ts';
import { isLeftover, isOwnedBy } from './ownership.ts';
import type { Identity } from './ownership.ts';
import { refusalOf } from './refusal.ts';
import { isTerminating } from './state.ts';
import type { OwnedKind } from './state.ts';
import { statusPatch } from './statusPatch.ts';
import { RESOURCES, storeOf } from './stores.ts';
import { buildTokenSecret, tokenOf } from './tokenSecret.ts';

export interface PerformContext {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'create' | 'apply' | 'patch' | 'delete'>;
  readonly caches: Caches;
  readonly notes: Notes;
  readonly owner: Identity;
  readonly generation: number;
  /** The object that the plan was made from: writes to it carry its version. */
  readonly sandbox: Sandbox;
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly probe: (podUid: string, podIp: string) => void;
  readonly announce: (sandbox: Sandbox, events: readonly EventNote[], tallies: readonly Tally[]) => void;
}

/** `halt`: something changed, or was refused, on which the plan's later stages were built; only a new plan goes on. */
type Effect = 'unchanged' | 'changed' | 'halt';

/**
 * Carries a plan out. Returns whether anything changed that the next plan should see. Rejects with the first KubeError
 * that repeating may cure; answers that it will not cure become notes. Every answer goes into the cache before this
 * resolves, so the next decision is never taken on the state before the last one.
 */
export async function perform(plan: Plan, context: PerformContext): Promise<boolean> {
  let changed = false;
  for (const stage of plan.stages) {
    const results = await Promise.allSettled(stage.map((action) => run(action, context)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const effects = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    // What a stage needs from the one before must be acknowledged: a NetworkPolicy that was refused means no pod.
    if (effects.includes('halt')) return true;
    changed = effects.includes('changed') || changed;
  }
  return changed;
}

async function run(action: Action, context: PerformContext): Promise<Effect> {
  switch (action.do) {
    case 'create':
      return create(action.kind, action.body, context);
    case 'createToken':
      return create('tokenSecret', buildTokenSecret(context.owner, newToken()), context);
    case 'repair':
      return repair(action.kind, action.body, context);
    case 'repairToken':
      return repairToken(action.rotate, context);
    case 'delete':
      return remove(action, context);
    case 'status':
      return writeStatus(action, context);
    case 'clearAction':
      return clearAction(context);
    case 'releaseFinalizer':
      return releaseFinalizer(context);
    case 'probeRuntime':
      context.probe(action.podUid, action.podIp);
      return 'unchanged';
    case 'findPullSecret':
      return findPullSecret(action.name, context);
    case 'findPvc':
      return findPvc(action.name, context);
  }
}

/** 32 random bytes as base64url text, and that text in base64 as Secret data wants it. */
const newToken = (): string => Buffer.from(randomBytes(32).toString('base64url')).toString('base64');

/**
 * Safe on an outdated cache because it is a plain create: an object that is there already makes it fail, and then its
 * owner decides. (A server-side apply would silently take a foreign object over, its data with it.)
 */
async function create(kind: OwnedKind, body: KubeObject, context: PerformContext): Promise<Effect> {
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
  if (isOwnedBy(live, owner)) {
    storeOf(context.caches, kind).applyLocal(live);
    notes.accepted(kind);
    return 'halt';
  }
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
 * Server-side apply of the fields we own, by force: drift is by definition somebody else's value. The uid makes it fail,
 * instead of creating or changing another object, when ours was replaced meanwhile.
 */
async function repair(kind: OwnedKind, body: KubeObject, context: PerformContext): Promise<Effect> {
  const { client, owner, notes, signal } = context;
  const store = storeOf(context.caches, kind);
  const uid = store.get(owner.namespace, body.metadata.name ?? '')?.metadata.uid;
  const pinned = { ...body, metadata: { ...body.metadata, ...(uid === undefined ? {} : { uid }) } };
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

/** As `repair`, and pinned to the version as well: two operators must not each write a token of their own. */
async function repairToken(rotate: boolean, context: PerformContext): Promise<Effect> {
  const { client, owner, caches, notes, signal } = context;
  const body = buildTokenSecret(owner, '');
  const live = caches.secrets.get(owner.namespace, body.metadata.name ?? '');
  const { uid, resourceVersion } = live?.metadata ?? {};
  if (uid === undefined || resourceVersion === undefined) return 'halt';
  const token = (rotate ? undefined : tokenOf(live)) ?? newToken();
  const metadata = { ...body.metadata, uid, resourceVersion };
  const secret = { ...buildTokenSecret(owner, token), metadata };
  try {
    caches.secrets.applyLocal(
      await client.apply(SECRETS, secret, { fieldManager: FIELD_MANAGER_OPERATOR, force: true, signal }),
    );
  } catch (error) {
    return refuse('tokenSecret', error, context);
  }
  notes.accepted('tokenSecret');
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

async function remove({ kind, name, uid }: Removal, context: PerformContext): Promise<Effect> {
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

/**
 * The resourceVersion makes the write fail when anything about the Sandbox changed since the decision, so that two
 * operators, or an outdated cache, never count one failure twice. Events follow only a status that was stored.
 */
async function writeStatus(
  action: Extract<Action, { do: 'status' }>,
  context: PerformContext,
): Promise<Effect> {
  const { client, owner, caches, sandbox, signal } = context;
  const body = {
    metadata: { resourceVersion: sandbox.metadata.resourceVersion },
    status: statusPatch(sandbox.status ?? {}, action.status),
  };
  const options = { subresource: 'status', fieldManager: FIELD_MANAGER_OPERATOR, signal };
  const updated = await client
    .patch<Sandbox & KubeObject>(SANDBOXES, owner, { type: 'merge', body }, options)
    .catch(absent);
  if (updated === undefined) return 'halt';
  caches.sandboxes.applyLocal(updated);
  // What was noted about a start that has ended here must not be held against the next one.
  if (action.status.phase === 'Stopped' || action.status.phase === 'Error') context.notes.unwanted();
  context.announce(updated, action.events, action.tallies);
  return 'unchanged';
}

/** The test makes it take away the command that was obeyed and never a newer one; 422 means that it was a newer one. */
async function clearAction({ client, owner, sandbox, caches, signal }: PerformContext): Promise<Effect> {
  const path = `/metadata/annotations/${ANNOTATION_ACTION.replaceAll('/', '~1')}`;
  const value = sandbox.metadata.annotations?.[ANNOTATION_ACTION];
  const body = [
    { op: 'test', path, value },
    { op: 'remove', path },
  ];
  const options = { fieldManager: FIELD_MANAGER_OPERATOR, signal };
  try {
    caches.sandboxes.applyLocal(
      await client.patch<Sandbox & KubeObject>(SANDBOXES, owner, { type: 'json', body }, options),
    );
  } catch (error) {
    if (!isNotFound(error) && !(isKubeError(error) && error.status === 422)) throw error;
  }
  return 'changed';
}

/**
 * Asks the API server itself whether a pod is left, since the cache may be behind a pod that was made a moment ago.
 * Then takes only our finalizer away, at the version last seen.
 */
async function releaseFinalizer({ client, owner, caches, signal }: PerformContext): Promise<Effect> {
  const labelSelector = `${LABEL_SANDBOX_UID}=${owner.uid}`;
  const { items } = await client.list<Pod>(PODS, { namespace: owner.namespace, labelSelector }, { signal });
  const left = items.filter((pod) => isOwnedBy(pod, owner));
  for (const pod of left) caches.pods.applyLocal(pod);
  if (left.length > 0) return 'halt';
  const current = caches.sandboxes.get(owner.namespace, owner.name);
  if (current?.metadata.uid !== owner.uid) return 'unchanged';
  const { resourceVersion, finalizers = [] } = current.metadata;
  const body = { metadata: { resourceVersion, finalizers: finalizers.filter((one) => one !== FINALIZER) } };
  const options = { fieldManager: FIELD_MANAGER_OPERATOR, signal };
  await client.patch(SANDBOXES, owner, { type: 'merge', body }, options).catch(absent);
  return 'unchanged';
}

async function findPullSecret(
  name: string,
  { client, owner, notes, signal }: PerformContext,
): Promise<Effect> {
  const found = await client.get(SECRETS, { namespace: owner.namespace, name }, { signal }).catch(absent);
  const before = notes.observations().missingPullSecret;
  const missing = found === undefined ? name : undefined;
  notes.pullSecretMissing(missing);
  return before === missing ? 'unchanged' : 'changed';
}

async function findPvc(name: string, context: PerformContext): Promise<Effect> {
  const { client, owner, notes, signal } = context;
  const found = await client
    .get(PERSISTENT_VOLUME_CLAIMS, { namespace: owner.namespace, name }, { signal })
    .catch(absent);
  if (found !== undefined) return adopt('pvc', name, context);
  notes.volumeMissing(true);
  return 'halt';
}

/** For `catch`: not found is an answer. */
function absent(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
  return undefined;
}
