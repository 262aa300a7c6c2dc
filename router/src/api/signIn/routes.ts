// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { Text } from '../schemas.ts';

export const signInRoutes = [
  {
    method: 'get',
    path: '/auth/config',
    operation: 'signInConfig',
    tag: 'User',
    summary: 'Tells programs how people sign in here; needs no credential itself.',
    open: true,
    answers: {
      200: Type.Object({
        mode: Type.Union([Type.Literal('oidc'), Type.Literal('keys'), Type.Literal('dev')], {
          description:
            'oidc: tokens of the issuer and API keys; keys: API keys only; dev: everybody is let in',
        }),
        issuer: Type.Optional(Text),
        clientId: Type.Optional(Text),
        scopes: Type.Optional(Type.Array(Text)),
      }),
    },
  },
] as const satisfies readonly Route[];
