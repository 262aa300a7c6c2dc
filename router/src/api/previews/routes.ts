// SPDX-License-Identifier: Apache-2.0
import type { Route } from '../route.ts';
import { NamespaceQuery } from '../schemas.ts';

/** Whatever the program answers is an answer. */
const ANSWERS = { 200: 'bytes' } as const;

const route = <O extends string>(method: Route['method'], path: string, operation: O) =>
  ({
    method,
    path,
    operation,
    tag: 'Ports and previews',
    summary: 'Hands a request on to a forwarded port, for programs; browsers have the preview’s own host.',
    action: 'ports',
    query: NamespaceQuery,
    ...(method === 'get' || method === 'delete' ? {} : { body: 'raw' as const }),
    answers: ANSWERS,
  }) as const satisfies Route;

const ROOT = '/sandboxes/:id/preview/:port';
const BELOW = '/sandboxes/:id/preview/:port/*path';

export const previewRoutes = [
  route('get', ROOT, 'previewGet'),
  route('post', ROOT, 'previewPost'),
  route('put', ROOT, 'previewPut'),
  route('patch', ROOT, 'previewPatch'),
  route('delete', ROOT, 'previewDelete'),
  route('get', BELOW, 'previewGetPath'),
  route('post', BELOW, 'previewPostPath'),
  route('put', BELOW, 'previewPutPath'),
  route('patch', BELOW, 'previewPatchPath'),
  route('delete', BELOW, 'previewDeletePath'),
] as const;
