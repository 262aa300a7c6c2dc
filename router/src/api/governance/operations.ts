// SPDX-License-Identifier: Apache-2.0
import { effectiveView } from '@agenttier/crds/explain/effectiveView';
import { usageOfAll } from '@agenttier/crds/explain/explanation';
import type { UsersShown } from '@agenttier/crds/explain/usage';
import { effectivePolicy } from '@agenttier/crds/governance/effective';
import { isDnsLabel } from '@agenttier/crds/meta/names';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { namespaceAllowed } from '../../auth/authorize.ts';
import type { Principal } from '../../auth/principal.ts';
import type { Handlers } from '../contract.ts';
import type { Call } from '../route.ts';
import { refusals } from '../errors.ts';
import { readPolicies } from './policies.ts';

export interface GovernanceOptions {
  readonly client: Pick<KubeClient, 'get'>;
  readonly defaultNamespace: string;
}

type Operations = Pick<Handlers, 'effectivePolicy' | 'policyUsage'>;

/** What bounds a namespace, for everybody who is signed in, and what is used of it. */
export function governanceOperations({ client, defaultNamespace }: GovernanceOptions): Operations {
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
  };
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
