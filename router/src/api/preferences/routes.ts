// SPDX-License-Identifier: Apache-2.0
import type { Route } from '../route.ts';
import { AnyObject } from '../schemas.ts';

const TAG = 'User';
/** Settings of a page, not a place to keep files. */
const LIMIT = 32 * 1024;

export const preferenceRoutes = [
  {
    method: 'get',
    path: '/user/preferences',
    operation: 'getPreferences',
    tag: TAG,
    summary: "Shows the caller's preferences: any object, empty until one is stored.",
    answers: { 200: AnyObject },
  },
  {
    method: 'put',
    path: '/user/preferences',
    operation: 'setPreferences',
    tag: TAG,
    summary: 'Replaces them, with If-Match only those that were read.',
    ifMatch: true,
    body: { schema: AnyObject, limit: LIMIT },
    answers: { 200: AnyObject },
  },
] as const satisfies readonly Route[];
