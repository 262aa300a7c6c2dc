// SPDX-License-Identifier: Apache-2.0
import type { AuthConfig } from './user.ts';

/**
 * Sign-in with OpenID Connect: Authorization Code with PKCE (RFC 7636), as a public client. Tokens are kept in memory, or by
 * the server in cookies;
 * what has to outlive the way to the issuer and back is in the tab's sessionStorage and is used once.
 */

interface Metadata {
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly end_session_endpoint?: string;
}

export interface Tokens {
  /** What the server is shown: it checks the audience, which access tokens of some issuers lack. */
  readonly idToken: string;
  readonly refreshToken?: string;
  /** Milliseconds of the epoch. */
  readonly expiresAt: number;
}

interface Started {
  readonly state: string;
  readonly verifier: string;
  readonly returnTo: string;
}

const STARTED = 'agenttier-sign-in';

export class SignInError extends Error {
  override readonly name = 'SignInError';
}

async function metadataOf(issuer: string): Promise<Metadata> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  if (!response.ok) throw new SignInError(`the issuer answered with status ${response.status}`);
  return (await response.json()) as Metadata;
}

/** Leaves the page for the issuer. */
export async function beginSignIn(config: AuthConfig, redirectUri: string, returnTo: string): Promise<void> {
  globalThis.location.assign(await signInAddress(config, redirectUri, returnTo));
}

/** Where the issuer asks the person; what the answer is checked with is kept in the tab. */
export async function signInAddress(config: AuthConfig, redirectUri: string, returnTo: string): Promise<URL> {
  // Browsers have no digests for pages that anybody on the way could have written.
  if (!globalThis.isSecureContext) {
    throw new SignInError('this page came without TLS: open it by https, or on localhost, to sign in here');
  }
  const { authorization_endpoint: endpoint } = await metadataOf(config.issuer ?? '');
  const started: Started = { state: randomText(16), verifier: randomText(48), returnTo };
  sessionStorage.setItem(STARTED, JSON.stringify(started));
  const url = new URL(endpoint);
  const challenge = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(started.verifier));
  const params = {
    response_type: 'code',
    client_id: config.clientId ?? '',
    redirect_uri: redirectUri,
    scope: (config.scopes ?? ['openid', 'email', 'profile']).join(' '),
    state: started.state,
    code_challenge: base64url(new Uint8Array(challenge)),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  return url;
}

/** What the issuer gives tokens for. */
export interface SignInCode {
  readonly code: string;
  readonly verifier: string;
  readonly redirectUri: string;
}

/** Takes what the issuer has sent back; throws SignInError when it is not the answer to our question. */
export function takeAnswer(
  redirectUri: string,
  answer: URLSearchParams,
): { code: SignInCode; returnTo: string } {
  const stored = sessionStorage.getItem(STARTED);
  sessionStorage.removeItem(STARTED);
  if (answer.has('error'))
    throw new SignInError(answer.get('error_description') ?? answer.get('error') ?? '');
  const started = stored === null ? undefined : (JSON.parse(stored) as Started);
  if (started === undefined || answer.get('state') !== started.state) {
    throw new SignInError('this sign-in was not begun here, or was used already');
  }
  const code = { code: answer.get('code') ?? '', verifier: started.verifier, redirectUri };
  return { code, returnTo: started.returnTo };
}

/** Rejects with SignInError when the issuer gives none. */
export const redeem = (config: AuthConfig, { code, verifier, redirectUri }: SignInCode): Promise<Tokens> =>
  requestTokens(config, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });

export const refresh = (config: AuthConfig, refreshToken: string): Promise<Tokens> =>
  requestTokens(config, { grant_type: 'refresh_token', refresh_token: refreshToken });

/** RFC 6749 5.1 and 5.2, with the id_token of OpenID Connect Core 3.1.3.3. */
interface TokenAnswer {
  readonly id_token?: string;
  readonly refresh_token?: string;
  readonly expires_in?: number;
  readonly error?: string;
  readonly error_description?: string;
}

async function requestTokens(config: AuthConfig, params: Record<string, string>): Promise<Tokens> {
  const { token_endpoint: endpoint } = await metadataOf(config.issuer ?? '');
  const body = new URLSearchParams({ client_id: config.clientId ?? '', ...params });
  const response = await fetch(endpoint, { method: 'POST', body });
  const answer = (await response.json().catch(() => ({}))) as TokenAnswer;
  const { id_token: idToken } = answer;
  if (!response.ok || idToken === undefined) {
    throw new SignInError(answer.error_description ?? answer.error ?? 'the issuer gave no token');
  }
  const { refresh_token: refreshToken, expires_in: seconds = 300 } = answer;
  return {
    idToken,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    expiresAt: endOf(idToken) ?? Date.now() + seconds * 1000,
  };
}

/** The token's own word counts: what the issuer says beside it is about the access token. */
function endOf(token: string): number | undefined {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { exp } = JSON.parse(atob(payload)) as { readonly exp?: unknown };
    return typeof exp === 'number' ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where the sign-in at the issuer ends too (OpenID Connect RP-Initiated Logout 1.0): else the next person at this browser is
 * signed in by one click. Undefined = the issuer has no such place.
 */
export async function signOutAddress(
  config: AuthConfig,
  returnTo: string,
  idToken?: string,
): Promise<URL | undefined> {
  const { end_session_endpoint: endpoint } = await metadataOf(config.issuer ?? '');
  if (endpoint === undefined) return undefined;
  const url = new URL(endpoint);
  url.searchParams.set('client_id', config.clientId ?? '');
  url.searchParams.set('post_logout_redirect_uri', returnTo);
  if (idToken !== undefined) url.searchParams.set('id_token_hint', idToken);
  return url;
}

const randomText = (bytes: number): string => base64url(crypto.getRandomValues(new Uint8Array(bytes)));

/** RFC 4648 section 5, without padding. */
const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
