// SPDX-License-Identifier: Apache-2.0
import { CommandError } from '../context/failure.ts';
import type { Host } from '../context/host.ts';
import { fetchObject, textOf } from './tokens.ts';

/** The issuer as far as a sign-in needs it. */
export interface Issuer {
  readonly clientId: string;
  readonly scope: string;
  readonly tokenEndpoint: string;
  readonly authorizationEndpoint: string;
  readonly deviceEndpoint?: string | undefined;
  readonly revocationEndpoint?: string | undefined;
}

/** How people sign in at a router, from its own word. */
export interface SignIn {
  readonly mode: 'oidc' | 'keys' | 'dev';
  readonly issuer?: string;
  readonly clientId?: string;
  readonly scopes?: readonly string[];
}

/** Reads the issuer's configuration (OpenID Connect Discovery 1.0). Throws CommandError. */
export async function discover(host: Host, signIn: SignIn): Promise<Issuer> {
  const { issuer = '', clientId = '', scopes } = signIn;
  const url = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;
  const { ok, value } = await fetchObject(host, url);
  const tokenEndpoint = textOf(value['token_endpoint']);
  const authorizationEndpoint = textOf(value['authorization_endpoint']);
  if (!ok || value['issuer'] !== issuer || !tokenEndpoint || !authorizationEndpoint) {
    throw new CommandError(`${url} is not the configuration of the issuer ${issuer}`);
  }
  // Without offline_access there is no refresh token at most issuers, and the sign-in ends with the first one.
  const wanted = new Set(['openid', ...(scopes ?? ['profile', 'email']), 'offline_access']);
  return {
    clientId,
    scope: [...wanted].join(' '),
    tokenEndpoint,
    authorizationEndpoint,
    deviceEndpoint: textOf(value['device_authorization_endpoint']),
    revocationEndpoint: textOf(value['revocation_endpoint']),
  };
}
