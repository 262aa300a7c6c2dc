// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { Text } from '../schemas.ts';

const SessionEnd = Type.Object({
  expiresAt: Type.String({ format: 'date-time', description: 'when the session ends unless it is renewed' }),
});

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
        session: Type.Optional(
          Type.Union([Type.Literal('page'), Type.Literal('cookie')], {
            description: 'where the dashboard keeps a sign-in: in its memory, or in cookies',
          }),
        ),
      }),
    },
  },
  {
    method: 'post',
    path: '/auth/session',
    operation: 'beginSession',
    tag: 'User',
    summary: 'Redeems an authorization code of the issuer and keeps the tokens in sealed cookies.',
    open: true,
    body: {
      schema: Type.Object({
        code: Type.String({ minLength: 1, maxLength: 4096 }),
        verifier: Type.String({ pattern: '^[A-Za-z0-9._~-]{43,128}$' }),
        redirectUri: Type.String({ minLength: 1, maxLength: 2048 }),
      }),
      limit: 16 * 1024,
    },
    answers: { 200: SessionEnd },
  },
  {
    method: 'post',
    path: '/auth/session/renewal',
    operation: 'renewSession',
    tag: 'User',
    summary:
      'Renews the session in the cookies when less than a minute of it is left, and tells when it ends.',
    open: true,
    answers: { 200: SessionEnd },
  },
  {
    method: 'delete',
    path: '/auth/session',
    operation: 'endSession',
    tag: 'User',
    summary: 'Takes the cookies of a session away, and its refresh token where the issuer revokes.',
    open: true,
    answers: { 204: 'nothing' },
  },
] as const satisfies readonly Route[];
