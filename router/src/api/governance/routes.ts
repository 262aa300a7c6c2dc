// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import {
  AnyObject,
  Continue,
  DryRunQuery,
  NamespaceQuery,
  pageQuery,
  SPEC_LIMIT,
  Text,
  Violation,
  Warnings,
} from '../schemas.ts';
import { MOST_NAMED } from './violators.ts';

const TAG = 'Governance';

/** Its fields are those of the CRD, which judges them: docs/reference/policy.md. */
const PolicyBody = Type.Record(Type.String(), Type.Unknown(), { title: 'Policy' });
const Version = Type.Optional(
  Type.String({ description: 'in quotation marks it is what If-Match names; absent = there is no policy' }),
);
const Violators = Type.Optional(
  Type.Integer({
    description: 'existing sandboxes that the policy would refuse now; absent until they are counted',
  }),
);
const Named = Type.Optional(
  Type.Array(Type.Object({ namespace: Text, name: Text, violations: Type.Array(Violation) }), {
    description: `of a dry run: sandboxes that it would refuse, the first ${MOST_NAMED}`,
  }),
);
const Stored = {
  policy: PolicyBody,
  resourceVersion: Version,
  wouldViolate: Violators,
  violators: Named,
  warnings: Warnings,
};
const Scoped = Type.Object({ namespace: Text, ...Stored }, { title: 'NamespacePolicy' });
const OfCluster = Type.Object({ scope: Type.Literal('cluster'), ...Stored });
const WRITTEN = { schema: PolicyBody, limit: SPEC_LIMIT } as const;

export const governanceRoutes = [
  {
    method: 'get',
    path: '/governance/policies',
    operation: 'listPolicies',
    tag: TAG,
    summary: 'Shows the policy of the cluster and those of namespaces.',
    query: pageQuery({}),
    answers: {
      200: Type.Object({
        cluster: Type.Union([PolicyBody, Type.Null()]),
        clusterVersion: Version,
        clusterWouldViolate: Violators,
        namespaces: Type.Array(Scoped),
        continue: Continue,
      }),
    },
  },
  {
    method: 'put',
    path: '/governance/policies',
    operation: 'replaceClusterPolicy',
    tag: TAG,
    summary: 'Sets the policy of the cluster; what the body leaves out sets no limit.',
    admin: true,
    query: DryRunQuery,
    ifMatch: true,
    body: WRITTEN,
    answers: { 200: OfCluster },
  },
  {
    method: 'delete',
    path: '/governance/policies',
    operation: 'deleteClusterPolicy',
    tag: TAG,
    summary: 'Takes the policy of the cluster away.',
    admin: true,
    query: DryRunQuery,
    ifMatch: true,
    answers: { 204: 'nothing' },
  },
  {
    method: 'get',
    path: '/governance/policies/:namespace',
    operation: 'getPolicy',
    tag: TAG,
    summary: 'Shows the policy of a namespace; empty where it has none.',
    answers: { 200: Scoped },
  },
  {
    method: 'put',
    path: '/governance/policies/:namespace',
    operation: 'replacePolicy',
    tag: TAG,
    summary: 'Sets the policy of a namespace; what the body leaves out sets no limit.',
    admin: true,
    query: DryRunQuery,
    ifMatch: true,
    body: WRITTEN,
    answers: { 200: Scoped },
  },
  {
    method: 'delete',
    path: '/governance/policies/:namespace',
    operation: 'deletePolicy',
    tag: TAG,
    summary: 'Takes the policy of a namespace away.',
    admin: true,
    query: DryRunQuery,
    ifMatch: true,
    answers: { 204: 'nothing' },
  },
  {
    method: 'get',
    path: '/governance/effective',
    operation: 'effectivePolicy',
    tag: TAG,
    summary: 'Shows what bounds a namespace, and by whose word.',
    query: NamespaceQuery,
    answers: { 200: AnyObject },
  },
  {
    method: 'get',
    path: '/governance/usage',
    operation: 'policyUsage',
    tag: TAG,
    summary: 'Shows how much of its bounds a namespace uses.',
    query: NamespaceQuery,
    answers: { 200: AnyObject },
  },
] as const satisfies readonly Route[];
