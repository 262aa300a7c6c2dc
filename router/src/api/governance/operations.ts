// SPDX-License-Identifier: Apache-2.0
import { effectiveView } from '@agenttier/crds/explain/effectiveView';
import { usageOfAll } from '@agenttier/crds/explain/explanation';
import type { UsersShown } from '@agenttier/crds/explain/usage';
import { effectivePolicy } from '@agenttier/crds/governance/effective';
import { isDnsLabel } from '@agenttier/crds/meta/names';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { namespaceAllowed } from '../../auth/authorize.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { Principal } from '../../auth/principal.ts';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';
import { byKey, pageOf } from '../page.ts';
import { tagOfObject } from '../precondition.ts';
import type { Call, Reply } from '../route.ts';
import { readAllPolicies, readPolicies } from './policies.ts';
import { deletePolicy, placeOf, policyBody, replacePolicy, versionOf, countedIn } from './writes.ts';

export interface GovernanceOptions {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'create' | 'update' | 'raw'>;
  readonly stores: Pick<Stores, 'sandboxes'>;
  readonly defaultNamespace: string;
}

type Operations = Pick<
  Handlers,
  | 'effectivePolicy'
  | 'policyUsage'
  | 'listPolicies'
  | 'getPolicy'
  | 'replacePolicy'
  | 'deletePolicy'
  | 'replaceClusterPolicy'
  | 'deleteClusterPolicy'
>;

/**
 * What bounds a namespace, for everybody who is signed in, and what is used of it. Policies are written by administrators,
 * in their own name.
 */
export function governanceOperations(options: GovernanceOptions): Operations {
  const { client, defaultNamespace } = options;
  return {
    effectivePolicy: async (call) => {
      const namespace = namespaceOf(call, defaultNamespace);
      const { cluster, local } = await readPolicies(client, namespace, call.signal);
      const specs = { cluster: cluster?.spec, local: local?.spec };
      const body = effectiveView(namespace, effectivePolicy(specs.cluster, specs.local), specs);
      return { status: 200, body };
    },
    policyUsage: async (call) => {
      const namespace = namespaceOf(call, defaultNamespace);
      const policies = await readPolicies(client, namespace, call.signal);
      const scopes = usageOfAll(policies, namespace, usersShownTo(call.principal));
      return { status: 200, body: { namespace, scopes } };
    },
    listPolicies: (call) => listPolicies(client, call),
    getPolicy: async (call) => {
      const { namespace = '' } = placeOf(call);
      const { local } = await readPolicies(client, namespace, call.signal);
      const headers = local?.metadata ? { ETag: tagOfObject({ metadata: local.metadata }) } : {};
      return { status: 200, body: policyBody(namespace, local), headers };
    },
    replacePolicy: (call) => replacePolicy(options, call),
    deletePolicy: (call) => deletePolicy(client, call),
    replaceClusterPolicy: (call) => replacePolicy(options, call),
    deleteClusterPolicy: (call) => deletePolicy(client, call),
  };
}

const orderOf = ({ namespace }: { readonly namespace: string }): string => namespace;

/** The cluster's policy, and a page of those of the namespaces within the key's reach. */
async function listPolicies(client: GovernanceOptions['client'], call: Call): Promise<Reply> {
  const { cluster, locals } = await readAllPolicies(client, call.signal);
  const views = locals.flatMap((policy) => {
    const { namespace } = policy.metadata;
    if (!namespace || !namespaceAllowed(call.principal, namespace)) return [];
    return [{ namespace, policy: policy.spec, ...versionOf(policy), ...countedIn(policy) }];
  });
  const { items, ...rest } = pageOf(views.sort(byKey(orderOf)), call.query, orderOf);
  const { resourceVersion: clusterVersion } = versionOf(cluster);
  const { wouldViolate: clusterWouldViolate } = countedIn(cluster);
  const body = {
    cluster: cluster?.spec ?? null,
    ...(clusterVersion === undefined ? {} : { clusterVersion }),
    ...(clusterWouldViolate === undefined ? {} : { clusterWouldViolate }),
    namespaces: items,
    ...rest,
  };
  return { status: 200, body };
}

/** The namespace asked for, within the key's reach. */
export function namespaceOf(
  { query, principal }: Pick<Call, 'query' | 'principal'>,
  fallback: string,
): string {
  const namespace = query.get('namespace') || fallback;
  if (!isDnsLabel(namespace)) throw refusals.badRequest('namespace is not the name of a namespace');
  if (!namespaceAllowed(principal, namespace)) throw refusals.namespaceRefused(namespace);
  return namespace;
}

/** How many sandboxes others have is for administrators to know. */
export const usersShownTo = ({ isAdmin, sub }: Principal): UsersShown => (isAdmin ? 'all' : { sub });
