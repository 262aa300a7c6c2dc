// SPDX-License-Identifier: Apache-2.0
import { API_VERSION } from '@agenttier/crds/meta/labels';
import { isDnsLabel } from '@agenttier/crds/meta/names';
import {
  CLUSTER_GOVERNANCE_POLICIES,
  GOVERNANCE_POLICIES,
  POLICY_NAME,
} from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { namespaceAllowed } from '../../auth/authorize.ts';
import type { Stores } from '../../cluster/caches.ts';
import { refusals } from '../errors.ts';
import { requireMatch, tagOfObject } from '../precondition.ts';
import type { Call, Reply } from '../route.ts';
import { isDryRun, removeAs, replace, withWarnings } from '../write.ts';
import type { Policy, StoredPolicy } from './policies.ts';
import { violatorsOf } from './violators.ts';

type Client = Pick<KubeClient, 'get' | 'list' | 'create' | 'update' | 'raw'>;

export interface PolicyWritesOptions {
  readonly client: Client;
  readonly stores: Pick<Stores, 'sandboxes'>;
}

interface Place {
  readonly resource: Resource;
  readonly namespace: string | undefined;
}

/** The namespace of the path, within the key's reach; without one the policy of the cluster is meant. */
export function placeOf({ params, principal }: Call): Place {
  const namespace = params['namespace'];
  if (namespace === undefined) return { resource: CLUSTER_GOVERNANCE_POLICIES, namespace };
  if (!isDnsLabel(namespace)) throw refusals.badRequest('namespace is not the name of a namespace');
  if (!namespaceAllowed(principal, namespace)) throw refusals.namespaceRefused(namespace);
  return { resource: GOVERNANCE_POLICIES, namespace };
}

/** A policy as clients know it, with the scope that it is for. */
export const policyBody = (namespace: string | undefined, policy: StoredPolicy | undefined) => ({
  ...(namespace === undefined ? { scope: 'cluster' } : { namespace }),
  policy: policy?.spec ?? {},
  ...versionOf(policy),
  ...countedIn(policy),
});

/** How many sandboxes it would refuse today; nothing while the count is about an earlier text of it. */
export function countedIn(policy: StoredPolicy | undefined): { wouldViolate?: number } {
  const { wouldViolate, observedGeneration } = policy?.status ?? {};
  const counted = wouldViolate !== undefined && observedGeneration === policy?.metadata.generation;
  return counted ? { wouldViolate } : {};
}

/** Policies of a list have no header of their own that could name their state. */
export const versionOf = (policy: Pick<KubeObject, 'metadata'> | undefined): { resourceVersion?: string } =>
  policy?.metadata.resourceVersion === undefined ? {} : { resourceVersion: policy.metadata.resourceVersion };

/**
 * Replaces the policy, or makes the first one. A field that no policy has is refused: it would bound nothing. A dry run
 * also tells which sandboxes it would refuse.
 */
export async function replacePolicy(options: PolicyWritesOptions, call: Call<object>): Promise<Reply> {
  const { client } = options;
  const { resource, namespace } = placeOf(call);
  const { object, warnings } = await replace<Policy>(client, call, {
    resource,
    key: { namespace, name: POLICY_NAME },
    change: (current) => ({
      ...current,
      apiVersion: API_VERSION,
      kind: resource.kind,
      metadata: {
        ...current?.metadata,
        name: POLICY_NAME,
        ...(namespace === undefined ? {} : { namespace }),
      },
      // Whatever the body holds: the schema at the API server and admission judge it.
      spec: call.body,
    }),
    view: (policy) => policyBody(namespace, policy),
  });
  const { spec } = object;
  const violators = isDryRun(call) ? await violatorsOf(options, { namespace, spec }, call) : {};
  const body = { ...policyBody(namespace, object), ...violators, ...withWarnings(warnings) };
  return { status: 200, body, headers: { ETag: tagOfObject(object) } };
}

/** No policy is what clients want here, so that there is none already is as good. */
export async function deletePolicy(client: Client, call: Call): Promise<Reply> {
  const { resource, namespace } = placeOf(call);
  const key = { namespace, name: POLICY_NAME };
  try {
    const current = await client.get<Policy>(resource, key);
    requireMatch(call, current, policyBody(namespace, current));
    await removeAs(client, call, { resource, key, uid: current.metadata.uid ?? '' });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return { status: 204 };
}
