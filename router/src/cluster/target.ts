// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { LABEL_SANDBOX_UID } from '@agenttier/crds/meta/labels';
import { podName, TOKEN_KEY, tokenSecretName } from '@agenttier/crds/meta/names';
import type { Stores } from './caches.ts';
import type { Pod, Secret } from './shapes.ts';

/** Where to reach the runtime of a pod, and with what. */
export interface RuntimeAddress {
  readonly podIP: string;
  readonly token: string;
  /** Identity of the pod: addresses are handed out again, uids never. */
  readonly podUid: string;
}

/** The running pod of a sandbox. `runtime` is absent when only the API server leads into it, `reason` then says why. */
export interface Target {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly runtime?: RuntimeAddress;
  readonly reason?: 'no_token' | 'no_address';
}

/** Looks the target of a sandbox up; undefined when it has no living pod. */
export function findTarget(stores: Pick<Stores, 'pods' | 'tokens'>, sandbox: Sandbox): Target | undefined {
  const { namespace, name = '' } = sandbox.metadata;
  const pod = stores.pods.get(namespace, sandbox.status?.podName ?? podName(name));
  return pod && targetOf(sandbox, pod, stores.tokens.get(namespace, tokenSecretName(name)));
}

/**
 * Joins a sandbox with what was found under its names. Both must carry the uid of this very sandbox: one deleted and
 * created again under the same name must never be reached through the leftovers of the first.
 */
export function targetOf(sandbox: Sandbox, pod: Pod, secret: Secret | undefined): Target | undefined {
  const { uid } = sandbox.metadata;
  const { name = '', namespace = '', uid: podUid } = pod.metadata;
  if (podUid === undefined || !isAlive(pod) || !belongsTo(uid, pod)) return undefined;
  const target = { namespace, pod: name, podUid };
  const token = belongsTo(uid, secret) ? tokenIn(secret) : '';
  if (token === '') return { ...target, reason: 'no_token' };
  const podIP = pod.status?.podIP;
  if (!podIP) return { ...target, reason: 'no_address' };
  return { ...target, runtime: { podIP, token, podUid } };
}

const tokenIn = (secret: Secret | undefined): string =>
  Buffer.from(secret?.data?.[TOKEN_KEY] ?? '', 'base64')
    .toString('utf8')
    .trim();

const isAlive = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined && pod.status?.phase === 'Running';

const belongsTo = (uid: string | undefined, object: Pod | Secret | undefined): boolean =>
  uid !== undefined && object?.metadata.labels?.[LABEL_SANDBOX_UID] === uid;
