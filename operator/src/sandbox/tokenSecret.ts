// SPDX-License-Identifier: Apache-2.0
import { LABEL_SECRET_PURPOSE, SECRET_PURPOSES } from '@agenttier/crds/meta/labels';
import { TOKEN_KEY, tokenSecretName } from '@agenttier/crds/meta/names';
import type { Secret } from '../core.ts';
import { hasOwnedMeta, ownedMeta } from './ownership.ts';
import type { Identity } from './ownership.ts';

/**
 * The Secret with the bearer token of the in-pod runtime. `token` is the base64 of the token's text (the wire form of
 * Secret data); it is made by the shell, since a plan must not be random.
 */
export function buildTokenSecret(owner: Identity, token: string): Secret {
  const meta = ownedMeta(owner, tokenSecretName(owner.name));
  return {
    metadata: { ...meta, labels: { ...meta.labels, [LABEL_SECRET_PURPOSE]: SECRET_PURPOSES.runtimeToken } },
    type: 'Opaque',
    data: { [TOKEN_KEY]: token },
  };
}

/** The token of a live Secret, still in base64; undefined when somebody emptied it. */
export const tokenOf = (secret: Secret | undefined): string | undefined =>
  secret?.data?.[TOKEN_KEY] || undefined;

export const tokenSecretMatches = (live: Secret, desired: Secret): boolean =>
  hasOwnedMeta(live, desired) && tokenOf(live) !== undefined;
