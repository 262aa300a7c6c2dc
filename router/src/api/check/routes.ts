// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { AnyObject, NamespaceQuery, SPEC_LIMIT } from '../schemas.ts';

export const checkRoutes = [
  {
    method: 'post',
    path: '/check',
    operation: 'check',
    tag: 'Templates',
    summary: 'Asks admission about objects without storing them.',
    query: NamespaceQuery,
    body: {
      schema: Type.Unknown({ description: 'one object, an array of them, or a List' }),
      limit: SPEC_LIMIT,
      own: true,
    },
    answers: { 200: AnyObject },
  },
] as const satisfies readonly Route[];
