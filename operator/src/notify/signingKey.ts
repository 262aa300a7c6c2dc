// SPDX-License-Identifier: Apache-2.0
import type { WebhookSubscription } from '@agenttier/crds/generated/types';
import { ANNOTATION_SUBSCRIPTION, LABEL_SECRET_PURPOSE, SECRET_PURPOSES } from '@agenttier/crds/meta/labels';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { SECRETS } from '@agenttier/machinery/kube/resource';
import type { Secret } from '../core.ts';

const MIN_BYTES = 16;

/**
 * The key that signs a subscription's events: in a Secret of the install namespace with the label for that purpose, which
 * names the one subscription that it is for. Else anybody who may subscribe could name the key of somebody else and have
 * events signed with it. Rejects with an Error for people.
 */
export async function readSigningKey(
  client: Pick<KubeClient, 'get'>,
  namespace: string,
  { metadata, spec }: WebhookSubscription,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { name } = spec.secretRef;
  const secret = await client
    .get<Secret>(SECRETS, { namespace, name }, { signal })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      return undefined;
    });
  const ours = `${metadata.namespace}/${metadata.name}`;
  // One sentence for both, so that names of Secrets cannot be found out by trying.
  if (secret === undefined || !isMeantFor(secret, ours)) {
    throw new Error(
      `there is no signing key: spec.secretRef must name a Secret of namespace ${namespace} with label ${LABEL_SECRET_PURPOSE}=${SECRET_PURPOSES.webhookSubscription} and annotation ${ANNOTATION_SUBSCRIPTION}=${ours}`,
    );
  }
  const key = Buffer.from(secret.data?.['secret'] ?? '', 'base64');
  if (key.length < MIN_BYTES)
    throw new Error(`the signing key is too short: key \`secret\` needs ${MIN_BYTES} bytes`);
  return key;
}

const isMeantFor = ({ metadata }: Secret, subscription: string): boolean =>
  metadata.labels?.[LABEL_SECRET_PURPOSE] === SECRET_PURPOSES.webhookSubscription &&
  metadata.annotations?.[ANNOTATION_SUBSCRIPTION] === subscription;
