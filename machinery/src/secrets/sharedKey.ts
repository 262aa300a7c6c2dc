// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { KubeClient } from '../kube/client.ts';
import { isAlreadyExists, isNotFound } from '../kube/errors.ts';
import { type KubeObject, type ObjectKey, SECRETS } from '../kube/resource.ts';

interface Secret extends KubeObject {
  readonly type?: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
}

const DATA_KEY = 'key';
const KEY_BYTES = 32;

/** The key kept in the Secret; undefined while there is none. Throws KubeError, and an Error for a Secret without a key. */
export async function readSharedKey(
  client: KubeClient,
  at: ObjectKey,
  signal?: AbortSignal,
): Promise<Buffer | undefined> {
  try {
    return keyOf(await client.get<Secret>(SECRETS, at, { signal }), at);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

export interface EnsureKeyOptions {
  readonly labels: Readonly<Record<string, string>>;
  /** What to store when there is none; 32 random bytes when left out. */
  readonly key?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The key kept in the Secret, made when there is none. Safe with several callers at once: create is
 * the compare-and-swap, the loser reads what the winner made. The Secret is immutable, so nothing changes it in place.
 */
export async function ensureSharedKey(
  client: KubeClient,
  at: ObjectKey & { readonly namespace: string },
  { labels, key: wanted = randomBytes(KEY_BYTES), signal }: EnsureKeyOptions,
): Promise<Buffer> {
  const known = await readSharedKey(client, at, signal);
  if (known !== undefined) return known;
  const key = Buffer.from(wanted);
  const secret: Secret = {
    metadata: { name: at.name, namespace: at.namespace, labels: { ...labels } },
    type: 'Opaque',
    immutable: true,
    data: { [DATA_KEY]: key.toString('base64') },
  };
  try {
    await client.create<Secret>(SECRETS, at.namespace, secret, { signal });
    return key;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return keyOf(await client.get<Secret>(SECRETS, at, { signal }), at);
  }
}

/** The key in a Secret that was read already; undefined when it holds none of at least 32 bytes. */
export function sharedKeyIn(secret: Pick<Secret, 'data'> | undefined): Buffer | undefined {
  const key = Buffer.from(secret?.data?.[DATA_KEY] ?? '', 'base64');
  return key.length < KEY_BYTES ? undefined : key;
}

function keyOf(secret: Secret, at: ObjectKey): Buffer {
  const key = sharedKeyIn(secret);
  if (key === undefined)
    throw new Error(`Secret ${at.namespace}/${at.name} holds no key of ${KEY_BYTES} bytes`);
  return key;
}
