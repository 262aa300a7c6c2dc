// SPDX-License-Identifier: Apache-2.0
import type { SavedLogin } from '../client/savedLogin.ts';
import { CommandError, messageOf } from '../context/failure.ts';
import type { Host } from '../context/host.ts';

/** What a token endpoint gave, as it is remembered. */
export type Tokens = Pick<SavedLogin, 'token' | 'token_expires_at' | 'refresh_token'>;

/** A refusal of the issuer with its code (RFC 6749 section 5.2). */
export class IssuerError extends CommandError {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** New tokens for an old refresh token; undefined when the issuer does not take it any more. */
export async function renewTokens(host: Host, saved: SavedLogin): Promise<Tokens | undefined> {
  const { token_endpoint = '', client_id = '', refresh_token = '' } = saved;
  try {
    return await requestTokens(host, token_endpoint, {
      grant_type: 'refresh_token',
      client_id,
      refresh_token,
    });
  } catch (error) {
    if (error instanceof IssuerError) return undefined;
    throw error;
  }
}

/** One call of the token endpoint. Throws IssuerError when it refuses, CommandError when it cannot be reached. */
export async function requestTokens(
  host: Host,
  endpoint: string,
  form: Readonly<Record<string, string>>,
): Promise<Tokens> {
  const answer = await postForm(host, endpoint, form);
  // The router checks whom a token was issued for, which an access token does not tell everywhere.
  const token = textOf(answer['id_token']) ?? textOf(answer['access_token']);
  if (token === undefined) throw new CommandError(`the issuer at ${new URL(endpoint).origin} gave no token`);
  const refresh = textOf(answer['refresh_token']);
  const expires = expiryOf(token, answer['expires_in'], host.clock.now());
  return {
    token,
    ...(expires === undefined ? {} : { token_expires_at: new Date(expires).toISOString() }),
    ...(refresh === undefined ? {} : { refresh_token: refresh }),
  };
}

/** A form to an endpoint of the issuer, and the JSON object that comes back. */
export async function postForm(
  host: Host,
  endpoint: string,
  form: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, unknown>>> {
  const { ok, value } = await fetchObject(host, endpoint, {
    method: 'POST',
    body: new URLSearchParams(form),
  });
  const code = textOf(value['error']);
  if (ok && code === undefined) return value;
  const why = textOf(value['error_description']) ?? code ?? 'no reason was given';
  throw new IssuerError(code ?? 'unknown', `the issuer at ${new URL(endpoint).origin} refused: ${why}`);
}

export async function fetchObject(
  host: Host,
  url: string,
  init: RequestInit = {},
): Promise<{ readonly ok: boolean; readonly value: Readonly<Record<string, unknown>> }> {
  try {
    const headers = { Accept: 'application/json' };
    const answer = await fetch(url, { ...init, headers, redirect: 'error', signal: host.signal });
    const value: unknown = await answer.json();
    const isObject = typeof value === 'object' && value !== null;
    return { ok: answer.ok, value: isObject ? (value as Record<string, unknown>) : {} };
  } catch (error) {
    if (host.signal.aborted) throw error;
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    throw new CommandError(`unable to use ${url}: ${messageOf(cause)}`, 1, error);
  }
}

/** The token's own word counts: what the issuer says beside it is about the access token. */
function expiryOf(token: string, expiresIn: unknown, now: number): number | undefined {
  const { exp } = claimsOf(token);
  if (typeof exp === 'number') return exp * 1000;
  return typeof expiresIn === 'number' ? now + expiresIn * 1000 : undefined;
}

/** What a token says, unchecked: the router checks it. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
