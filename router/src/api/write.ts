// SPDX-License-Identifier: Apache-2.0
import { FIELD_MANAGER_ROUTER } from '@agenttier/crds/meta/labels';
import type { KubeClient, WriteOptions } from '@agenttier/machinery/kube/client';
import { isConflict, isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject, ObjectKey, Resource } from '@agenttier/machinery/kube/resource';
import { pathOf } from '@agenttier/machinery/kube/resource';
import { impersonationOf } from '../auth/principal.ts';
import { isConditional, requireMatch } from './precondition.ts';
import type { Call } from './route.ts';

/** Does the caller want the verdict only? */
export const isDryRun = ({ query }: Pick<Call, 'query'>): boolean => query.get('dryRun') === 'true';

/** A write in the caller's name; warnings of admission go to `warnings`. */
export const writeAs = (call: Call, warnings: string[] = []) =>
  ({
    impersonate: impersonationOf(call.principal),
    fieldManager: FIELD_MANAGER_ROUTER,
    signal: call.signal,
    dryRun: isDryRun(call),
    onWarning: (text: string) => void warnings.push(text),
  }) satisfies WriteOptions;

/** What admission remarked, for the end of an answer; nothing when it had nothing to say. */
export const withWarnings = (warnings: readonly string[]): { warnings?: readonly string[] } =>
  warnings.length > 0 ? { warnings } : {};

export interface Replacement<T extends KubeObject> {
  readonly resource: Resource;
  readonly key: ObjectKey;
  /** The whole object, made from what is there now. */
  readonly change: (current: T | undefined) => T;
  /** What a caller is shown whose If-Match does not hold. */
  readonly view: (object: T) => unknown;
  /** Thrown when there is nothing to replace; absent = it is created. */
  readonly missing?: () => Error;
}

export interface Replaced<T> {
  readonly object: T;
  readonly warnings: readonly string[];
}

const TRIES = 5;

/**
 * Puts a whole object in the place of what is there. Each try names the resourceVersion that it was made from, so it never
 * undoes another's write unseen: with If-Match the caller is told 412, without it the last to write wins, as PUT means.
 */
export async function replace<T extends KubeObject>(
  client: Pick<KubeClient, 'get' | 'create' | 'update'>,
  call: Call,
  replacement: Replacement<T>,
): Promise<Replaced<T>> {
  const { resource, key, change, view, missing } = replacement;
  for (let tries = 1; ; tries++) {
    const current = await currentOf<T>(client, resource, key);
    requireMatch(call, current, current === undefined ? null : view(current));
    if (current === undefined && missing) throw missing();
    const warnings: string[] = [];
    const options = { ...writeAs(call, warnings), fieldValidation: 'Strict' } as const;
    try {
      const object = await (current === undefined
        ? client.create<T>(resource, key.namespace, change(undefined), options)
        : client.update<T>(resource, change(current), options));
      return { object, warnings };
    } catch (error) {
      // Somebody was faster; with If-Match the next look says so.
      if (!isConflict(error) || (tries >= TRIES && !isConditional(call))) throw error;
    }
  }
}

async function currentOf<T extends KubeObject>(
  client: Pick<KubeClient, 'get'>,
  resource: Resource,
  key: ObjectKey,
): Promise<T | undefined> {
  try {
    return await client.get<T>(resource, key);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export interface Removal {
  readonly resource: Resource;
  readonly key: ObjectKey;
  readonly uid: string;
  readonly resourceVersion?: string | undefined;
}

/** Deletes the very object that was meant, in the caller's name, and answers with what is left of it for now. */
export async function removeAs(
  client: Pick<KubeClient, 'raw'>,
  call: Call,
  removal: Removal,
): Promise<unknown> {
  const { resource, key, uid, resourceVersion } = removal;
  // The uid keeps one that was created anew under this name meanwhile.
  const preconditions = { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  const { impersonate, signal, dryRun } = writeAs(call);
  const answer = await client.raw(
    {
      method: 'DELETE',
      path: pathOf(resource, key),
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions,
        ...(dryRun ? { dryRun: ['All'] } : {}),
      },
    },
    { impersonate, signal },
  );
  return answer.body;
}
