// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION_TOKEN_NONCE, LABEL_SECRET_PURPOSE, SECRET_PURPOSES } from '@agenttier/crds/meta/labels';
import { TOKEN_KEY, tokenSecretName, tokenSubject } from '@agenttier/crds/meta/names';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { deriveToken } from '@agenttier/machinery/secrets/derive';
import type { Secret } from '../core.ts';
import { hasOwnedMeta, ownedMeta, partsName } from './ownership.ts';
import type { Identity } from './ownership.ts';

/** The Secret with the bearer token of the in-pod runtime. The router derives the same token from the same key. */
export function buildTokenSecret(owner: Identity, nonce: string, key: Uint8Array): Secret {
  const meta = ownedMeta(owner, tokenSecretName(partsName(owner)));
  const token = deriveToken(key, tokenSubject(owner.uid, nonce));
  return {
    metadata: {
      ...meta,
      labels: { ...meta.labels, [LABEL_SECRET_PURPOSE]: SECRET_PURPOSES.runtimeToken },
      annotations: { [ANNOTATION_TOKEN_NONCE]: nonce },
    },
    type: 'Opaque',
    data: { [TOKEN_KEY]: Buffer.from(token).toString('base64') },
  };
}

/** The nonce that a live pod or token Secret carries; undefined without one. */
export const nonceIn = (object: KubeObject | undefined): string | undefined =>
  object?.metadata.annotations?.[ANNOTATION_TOKEN_NONCE] || undefined;

export const tokenSecretMatches = (live: Secret, desired: Secret): boolean =>
  hasOwnedMeta(live, desired) &&
  nonceIn(live) === nonceIn(desired) &&
  live.data?.[TOKEN_KEY] === desired.data?.[TOKEN_KEY];
