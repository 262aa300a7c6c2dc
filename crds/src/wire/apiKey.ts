// SPDX-License-Identifier: Apache-2.0

/** How API keys are stored: Secrets of the install namespace that hold the SHA-256 of a key and what is known of it. */

/** Secrets are found by a part of the hash, in hex; the rest of it proves the key. */
export const apiKeySecretName = (hash: string): string => `agenttier-apikey-${hash.slice(0, 40)}`;

/** For `kubectl get -l`; nobody is told apart by it, since two people may have the same. */
export const apiKeyUserLabel = (sub: string): string =>
  sub
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 63)
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
