// SPDX-License-Identifier: Apache-2.0
import type { Route } from '../route.ts';
import { AnyObject, NamespaceQuery } from '../schemas.ts';

const TAG = 'Governance';

export const governanceRoutes = [
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
