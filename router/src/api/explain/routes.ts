// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { AnyObject, NamespaceQuery, Text } from '../schemas.ts';

export const explainRoutes = [
  {
    method: 'get',
    path: '/sandboxes/:id/explain',
    operation: 'explainSandbox',
    tag: 'Sandboxes',
    summary: 'Tells where each value of a sandbox comes from and what bounds it.',
    action: 'read',
    query: NamespaceQuery,
    answers: { 200: AnyObject },
  },
  {
    method: 'get',
    path: '/sandboxes/:id/why',
    operation: 'whySandbox',
    tag: 'Sandboxes',
    summary: 'Tells in a paragraph why a sandbox is as it is.',
    action: 'read',
    query: NamespaceQuery,
    answers: { 200: AnyObject },
  },
  {
    method: 'get',
    path: '/templates/:name/explain',
    operation: 'explainTemplate',
    tag: 'Templates',
    summary: 'Tells what a chain of templates says together.',
    query: Type.Object({ namespace: Type.Optional(Text), kind: Type.Optional(Text) }),
    answers: { 200: AnyObject },
  },
] as const satisfies readonly Route[];
