// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import {
  ANNOTATION_ACTION,
  FIELD_MANAGER_OPERATOR,
  FINALIZER,
  LABEL_SANDBOX_UID,
} from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { noticeFields } from '@agenttier/crds/subscription/notices';
import { isKubeError, isNotFound } from '@agenttier/machinery/kube/errors';
import { PODS, SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Pod } from '../core.ts';
import type { Action } from '../decision/actions.ts';
import { newsOf } from '../notify/eventTypes.ts';
import { absent } from './context.ts';
import type { Effect, PerformContext } from './context.ts';
import { isOwnedBy } from './ownership.ts';
import { statusPatch } from './statusPatch.ts';

/**
 * The resourceVersion makes the write fail when anything about the Sandbox changed since the decision, so that two
 * operators, or an outdated cache, never count one failure twice. Events follow only a status that was stored.
 */
export async function writeStatus(
  action: Extract<Action, { do: 'status' }>,
  context: PerformContext,
): Promise<Effect> {
  const { client, owner, caches, sandbox, signal } = context;
  const { subscriptions } = caches;
  const notices = noticeFields(sandbox, newsOf(action.events), {
    subscriptions: subscriptions.list(),
    now: context.now(),
  });
  const body = {
    metadata: { resourceVersion: sandbox.metadata.resourceVersion },
    status: statusPatch(sandbox.status ?? {}, { ...action.status, ...notices }),
  };
  const options = { subresource: 'status', fieldManager: FIELD_MANAGER_OPERATOR, signal };
  const updated = await client
    .patch<Sandbox & KubeObject>(SANDBOXES, owner, { type: 'merge', body }, options)
    .catch(absent);
  if (updated === undefined) return 'halt';
  caches.sandboxes.applyLocal(updated);
  context.notes.statusWritten(context.now());
  // What was noted about a start that has ended here must not be held against the next one.
  if (action.status.phase === 'Stopped' || action.status.phase === 'Error') context.notes.unwanted();
  context.announce(updated, action.events, action.tallies);
  // What the rest of the plan would take away still carries events for subscribers.
  return action.status.phase === 'Deleting' && notices.noticeId !== undefined ? 'halt' : 'unchanged';
}

/** The test makes it take away the command that was obeyed and never a newer one; 422 means that it was a newer one. */
export async function clearAction({
  client,
  owner,
  sandbox,
  caches,
  signal,
}: PerformContext): Promise<Effect> {
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
export async function releaseFinalizer({ client, owner, caches, signal }: PerformContext): Promise<Effect> {
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

export async function findPullSecret(
  name: string,
  { client, owner, notes, signal }: PerformContext,
): Promise<Effect> {
  const found = await client.get(SECRETS, { namespace: owner.namespace, name }, { signal }).catch(absent);
  const before = notes.observations().missingPullSecret;
  const missing = found === undefined ? name : undefined;
  notes.pullSecretMissing(missing);
  return before === missing ? 'unchanged' : 'changed';
}
