// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { AnyObject, NamespaceQuery, Text } from '../schemas.ts';

const TAG = 'Templates';

const TemplateBody = Type.Object(
  {
    name: Text,
    description: Text,
    image: Text,
    resourceVersion: Text,
    spec: AnyObject,
    namespace: Type.Optional(Text),
  },
  { title: 'Template' },
);

export const templateRoutes = [
  {
    method: 'get',
    path: '/templates',
    operation: 'listTemplates',
    tag: TAG,
    summary: "Lists the cluster's templates, with ?namespace= also that namespace's own.",
    query: NamespaceQuery,
    answers: { 200: Type.Object({ templates: Type.Array(TemplateBody) }) },
  },
  {
    method: 'get',
    path: '/templates/:name',
    operation: 'getTemplate',
    tag: TAG,
    summary: 'Shows one template.',
    query: NamespaceQuery,
    answers: { 200: TemplateBody },
  },
] as const satisfies readonly Route[];
