// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { Text } from '../schemas.ts';

export const userRoutes = [
  {
    method: 'get',
    path: '/user/me',
    operation: 'currentUser',
    tag: 'User',
    summary: 'Tells who the caller is.',
    anyKey: true,
    answers: {
      200: Type.Object({
        sub: Text,
        email: Text,
        name: Text,
        groups: Type.Array(Text),
        isAdmin: Type.Boolean(),
      }),
    },
  },
] as const satisfies readonly Route[];
