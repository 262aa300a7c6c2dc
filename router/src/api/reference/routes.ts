// SPDX-License-Identifier: Apache-2.0
import type { Route } from '../route.ts';
import { AnyObject } from '../schemas.ts';

export const referenceRoutes = [
  {
    method: 'get',
    path: '/openapi.json',
    operation: 'openApi',
    tag: 'Reference',
    summary: 'The OpenAPI 3.1 document of this API.',
    open: true,
    answers: { 200: AnyObject },
  },
] as const satisfies readonly Route[];
