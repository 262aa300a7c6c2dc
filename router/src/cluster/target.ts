// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { ANNOTATION_TOKEN_NONCE, LABEL_SANDBOX_UID } from '@agenttier/crds/meta/labels';
import { podName, RUNTIME_KEY_SECRET, tokenSubject } from '@agenttier/crds/meta/names';
import { deriveToken } from '@agenttier/machinery/secrets/derive';
import { sharedKeyIn } from '@agenttier/machinery/secrets/sharedKey';
import type { Stores } from './caches.ts';
import type { Pod } from './shapes.ts';

/** Name of the container that people work in. */
export const MAIN_CONTAINER = 'sandbox';

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
export function findTarget(stores: Pick<Stores, 'pods' | 'keys'>, sandbox: Sandbox): Target | undefined {
  const { namespace, name = '' } = sandbox.metadata;
  const pod = stores.pods.get(namespace, sandbox.status?.podName ?? podName(name));
  // The store holds Secrets of the install namespace only, so the name alone is exact.
  const key = stores.keys.list().find(({ metadata }) => metadata.name === RUNTIME_KEY_SECRET);
  return pod && targetOf(sandbox, pod, sharedKeyIn(key));
}

/**
 * Joins a sandbox with the pod that was found under its name, which must carry the uid of this very sandbox: one deleted
 * and created again under the same name must never be reached through the leftovers of the first. The token is the one
 * that the operator derived for this sandbox and this pod; no Secret of a sandbox is read.
 */
export function targetOf(sandbox: Sandbox, pod: Pod, key: Uint8Array | undefined): Target | undefined {
  const { uid } = sandbox.metadata;
  const { name = '', namespace = '', uid: podUid } = pod.metadata;
  if (uid === undefined || podUid === undefined || !isAlive(pod) || !belongsTo(uid, pod)) return undefined;
  const target = { namespace, pod: name, podUid };
  const token = tokenOf(uid, pod, key);
  if (token === undefined) return { ...target, reason: 'no_token' };
  const podIP = pod.status?.podIP;
  if (!podIP) return { ...target, reason: 'no_address' };
  return { ...target, runtime: { podIP, token, podUid } };
}

function tokenOf(uid: string, pod: Pod, key: Uint8Array | undefined): string | undefined {
  const nonce = pod.metadata.annotations?.[ANNOTATION_TOKEN_NONCE];
  return key === undefined || !nonce ? undefined : deriveToken(key, tokenSubject(uid, nonce));
}

/**
 * Pending is no obstacle: the kubelet tells the API server of a started container only at its next look, up to a second
 * later, while the operator has already had an answer from the runtime and called the sandbox Running.
 */
const isAlive = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined && !ENDED.has(pod.status?.phase ?? '');

const ENDED: ReadonlySet<string> = new Set(['Succeeded', 'Failed']);

const belongsTo = (uid: string, pod: Pod): boolean => pod.metadata.labels?.[LABEL_SANDBOX_UID] === uid;
