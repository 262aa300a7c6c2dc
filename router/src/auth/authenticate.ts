// SPDX-License-Identifier: Apache-2.0
import { refusals } from '../api/errors.ts';
import type { Gate } from '../ratelimit/gate.ts';
import { DEV_PRINCIPAL } from './devAuth.ts';
import type { Principal } from './principal.ts';

/** What a request carries to say who it is from. */
export interface Credentials {
  readonly apiKey?: string | undefined;
  readonly authorization?: string | undefined;
  /** `?token=` of a WebSocket, for clients that cannot set headers. */
  readonly queryToken?: string | undefined;
  /** Where the request comes from. */
  readonly address?: string | undefined;
}

export interface AuthenticateOptions {
  readonly devAuth: boolean;
  readonly apiKeys: { authenticate(key: string): Promise<Principal | undefined> };
  /** Tokens of the issuer; absent = none is configured, and every token is refused. */
  readonly tokens?: { verify(token: string): Promise<Principal> } | undefined;
  /** Keeps whoever brings bad credentials from bringing many; absent = nobody is kept. */
  readonly gate?: Pick<Gate, 'signIn'> | undefined;
}

const NO_ISSUER = 'this installation has no token issuer configured; use an API key';

/**
 * Establishes the caller or throws the 401. An API key decides alone: a bad one never falls through to a token, so that
 * a revoked key cannot be hidden behind other credentials.
 */
export async function authenticate(
  credentials: Credentials,
  options: AuthenticateOptions,
): Promise<Principal> {
  if (options.devAuth) return DEV_PRINCIPAL;
  const { apiKey, queryToken, authorization, address = '' } = credentials;
  const credential = apiKey ?? (queryToken || bearerIn(authorization));
  const check = (): Promise<Principal> =>
    apiKey === undefined ? ofToken(credential, options) : ofKey(apiKey, options);
  return options.gate ? options.gate.signIn(address, credential, check) : check();
}

async function ofKey(key: string, { apiKeys }: AuthenticateOptions): Promise<Principal> {
  const principal = await apiKeys.authenticate(key);
  if (!principal) throw refusals.invalidApiKey();
  return principal;
}

async function ofToken(token: string, { tokens }: AuthenticateOptions): Promise<Principal> {
  if (!tokens) throw refusals.invalidToken(NO_ISSUER);
  return tokens.verify(token);
}

function bearerIn(authorization: string | undefined): string {
  if (authorization === undefined) throw refusals.missingAuthorization();
  // RFC 9110, 11.1: the name of a scheme is the same in every case.
  const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (token === undefined) throw refusals.invalidAuthorizationFormat();
  return token;
}
