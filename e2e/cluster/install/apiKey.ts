// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';

/** Namespace of the installation. */
export const INSTALL_NAMESPACE = 'agenttier';

/** A new key: `atk_` and 32 random bytes. */
export function newApiKey(): string {
  return `atk_${randomBytes(32).toString('base64url')}`;
}

/** Who stands behind the administrator's key of an installation made by `make up`. */
export const ADMIN_SUBJECT = 'admin';

/** The Secret by which the router knows an administrator's key; it holds the key's SHA-256, never the key. */
export function apiKeySecret(key: string, createdAt: string, userId = ADMIN_SUBJECT) {
  const keyHash = createHash('sha256').update(key).digest('hex');
  const record = {
    keyHash,
    userId,
    email: `${userId}@localhost`,
    name: userId === ADMIN_SUBJECT ? 'make up' : userId,
    scopes: [],
    allowedNamespaces: [],
    createdAt,
    isAdmin: true,
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: `agenttier-apikey-${keyHash.slice(0, 40)}`,
      namespace: INSTALL_NAMESPACE,
      labels: { 'agenttier.io/secret-purpose': 'api-key', 'agenttier.io/api-key-user': userId },
    },
    type: 'Opaque',
    data: {
      keyHash: Buffer.from(keyHash).toString('base64'),
      record: Buffer.from(JSON.stringify(record)).toString('base64'),
    },
  };
}
