// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import {
  AnyObject,
  Continue,
  NamespaceQuery,
  ObjectName,
  pageQuery,
  SPEC_LIMIT,
  Text,
  Warnings,
  WriteQuery,
} from '../schemas.ts';

const TAG = 'Templates';

const TemplateBody = Type.Object(
  {
    name: Text,
    description: Text,
    image: Text,
    resourceVersion: Text,
    spec: AnyObject,
    namespace: Type.Optional(Text),
    warnings: Warnings,
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
    query: pageQuery({ namespace: Type.Optional(Text) }),
    answers: { 200: Type.Object({ templates: Type.Array(TemplateBody), continue: Continue }) },
  },
  {
    method: 'post',
    path: '/templates',
    operation: 'createTemplate',
    tag: TAG,
    summary:
      'Creates a template of the cluster, which is for administrators, or with ?namespace= one of that namespace.',
    query: WriteQuery,
    body: { schema: Type.Object({ name: ObjectName, spec: AnyObject }), limit: SPEC_LIMIT },
    answers: { 201: TemplateBody },
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
  {
    method: 'put',
    path: '/templates/:name',
    operation: 'replaceTemplate',
    tag: TAG,
    summary: 'Replaces the spec of a template; sandboxes take it up at their next resume.',
    query: WriteQuery,
    ifMatch: true,
    body: { schema: Type.Object({ spec: AnyObject }), limit: SPEC_LIMIT },
    answers: { 200: TemplateBody },
  },
  {
    method: 'delete',
    path: '/templates/:name',
    operation: 'deleteTemplate',
    tag: TAG,
    summary: 'Deletes a template that nothing is made from.',
    query: WriteQuery,
    ifMatch: true,
    answers: { 204: 'nothing' },
  },
] as const satisfies readonly Route[];
