// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { LABEL_API_KEY_USER, LABEL_SECRET_PURPOSE, SECRET_PURPOSES } from '@agenttier/crds/meta/labels';
import { apiKeySecretName, apiKeyUserLabel } from '@agenttier/crds/wire/apiKey';
import { hashKey } from './keyRecord.ts';
import type { Principal } from './principal.ts';
import type { Secret } from '../cluster/shapes.ts';

/** What a new key is to be. */
export interface NewKey {
  readonly name: string;
  readonly expiresAt?: number | undefined;
  readonly sandbox?: { readonly id: string; readonly namespace: string; readonly uid: string } | undefined;
  readonly actionGroups: readonly string[];
  /** Groups of the person that say which namespaces it may use, at the time of each use. */
  readonly groups: readonly string[];
}

/** 32 random bytes: nobody guesses one, so a plain SHA-256 is enough to store. */
export const generateKey = (): string => `atk_${randomBytes(32).toString('base64url')}`;

/** The Secret by which replicas know the key. It holds the hash; the key itself is nowhere. */
export function secretOf(key: string, asked: NewKey, by: Principal, place: Place): Secret {
  const keyHash = hashKey(key);
  const { sandbox, expiresAt, name, actionGroups, groups } = asked;
  const record = {
    keyHash,
    userId: by.sub,
    email: by.email,
    name,
    scopes: actionGroups,
    actionGroups,
    groups,
    // A key that was made with a key reaches no further than that one.
    allowedNamespaces: by.key?.allowedNamespaces ?? [],
    ...(sandbox === undefined
      ? {}
      : { sandboxId: sandbox.id, sandboxNamespace: sandbox.namespace, sandboxUid: sandbox.uid }),
    createdAt: new Date(place.now).toISOString(),
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: apiKeySecretName(keyHash),
      namespace: place.namespace,
      labels: {
        [LABEL_SECRET_PURPOSE]: SECRET_PURPOSES.apiKey,
        [LABEL_API_KEY_USER]: apiKeyUserLabel(by.sub),
      },
    },
    data: { keyHash: base64(keyHash), record: base64(JSON.stringify(record)) },
  };
}

export interface Place {
  /** The install namespace. */
  readonly namespace: string;
  readonly now: number;
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
