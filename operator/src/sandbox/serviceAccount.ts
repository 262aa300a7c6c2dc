// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { serviceAccountName } from '@agenttier/crds/meta/names';
import type { ServiceAccount } from '../core.ts';
import { hasOwnedMeta, ownedMeta } from './ownership.ts';
import type { Identity } from './ownership.ts';

/** What the clouds' own webhooks look for; they mount a token of their own into pods of such an account. */
const AWS_ROLE = 'eks.amazonaws.com/role-arn';
const AZURE_CLIENT = 'azure.workload.identity/client-id';
const CLOUD_ANNOTATIONS = [AWS_ROLE, AZURE_CLIENT];

/** Whether it is to be somebody at a cloud: then it needs an account of its own from its pod's first moment. */
export const hasIdentity = ({ identity }: EffectiveSpec): boolean =>
  Boolean(identity?.awsRoleArn || identity?.azureClientId);

/** On the pod: Azure's webhook looks at no other pods. */
export function identityLabels({ identity }: EffectiveSpec): Record<string, string> {
  return identity?.azureClientId ? { 'azure.workload.identity/use': 'true' } : {};
}

/**
 * An identity of its own for each sandbox, bound to no role of the cluster. No token is mounted, so code inside cannot reach
 * the API server even by mistake; cloud identities that project their own token still work with it.
 */
export function buildServiceAccount(owner: Identity, spec: EffectiveSpec): ServiceAccount {
  const { awsRoleArn, azureClientId } = spec.identity ?? {};
  const annotations = {
    ...(awsRoleArn ? { [AWS_ROLE]: awsRoleArn } : {}),
    ...(azureClientId ? { [AZURE_CLIENT]: azureClientId } : {}),
  };
  const metadata = ownedMeta(owner, serviceAccountName(owner.name));
  return {
    metadata: Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata,
    automountServiceAccountToken: false,
  };
}

export const serviceAccountMatches = (live: ServiceAccount, desired: ServiceAccount): boolean =>
  hasOwnedMeta(live, desired) &&
  live.automountServiceAccountToken === false &&
  CLOUD_ANNOTATIONS.every((name) => annotationOf(live, name) === annotationOf(desired, name));

/** Whether it has a role that it is to lose. An apply leaves alone what it does not name: the account is made anew. */
export const hasSurplusIdentity = (live: ServiceAccount, desired: ServiceAccount): boolean =>
  CLOUD_ANNOTATIONS.some((name) => annotationOf(live, name) && !annotationOf(desired, name));

const annotationOf = ({ metadata }: ServiceAccount, name: string): string | undefined =>
  metadata.annotations?.[name];
