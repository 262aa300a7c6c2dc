// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Session } from './session.ts';
import { redeem, signInAddress, takeAnswer } from './signIn.ts';
import type { AuthConfig } from './user.ts';

const ISSUER = 'https://login.example';
const CALLBACK = 'https://agenttier.example/callback';
const CONFIG: AuthConfig = { mode: 'oidc', issuer: `${ISSUER}/`, clientId: 'dashboard' };

/** An issuer that answers as it is told and remembers what it was asked for. */
class Issuer {
  readonly asked: URLSearchParams[] = [];
  /** What its configuration says beside the usual. */
  metadata: object = {};
  answer: () => Response = () =>
    Response.json({ id_token: 'first', refresh_token: 'again', expires_in: 300 });

  readonly fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    if (input === `${ISSUER}/.well-known/openid-configuration`) {
      return Response.json({
        authorization_endpoint: `${ISSUER}/authorize?tenant=a`,
        token_endpoint: `${ISSUER}/token`,
        ...this.metadata,
      });
    }
    expect(input).toBe(`${ISSUER}/token`);
    this.asked.push(new URLSearchParams(init?.body as URLSearchParams));
    return this.answer();
  };
}

let issuer: Issuer;

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
  issuer = new Issuer();
  vi.stubGlobal('fetch', issuer.fetch);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const finishSignIn = async (config: AuthConfig, redirectUri: string, answer: URLSearchParams) => {
  const { code, returnTo } = takeAnswer(redirectUri, answer);
  return { tokens: await redeem(config, code), returnTo };
};

const answerOf = (params: Record<string, string>) => new URLSearchParams(params);

/** RFC 7636 4.2. */
async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  const base64 = btoa(String.fromCharCode(...new Uint8Array(digest)));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

describe('a sign-in', () => {
  it('shows the issuer a challenge, and what it is of only with the code', async () => {
    const address = await signInAddress(CONFIG, CALLBACK, '/templates');
    const { searchParams: params } = address;
    expect(address.href.startsWith(`${ISSUER}/authorize?tenant=a&`)).toBe(true);
    expect(Object.fromEntries(params)).toMatchObject({
      response_type: 'code',
      client_id: 'dashboard',
      redirect_uri: CALLBACK,
      scope: 'openid email profile',
      code_challenge_method: 'S256',
    });
    const answer = answerOf({ code: 'c', state: params.get('state') ?? '' });
    const { tokens, returnTo } = await finishSignIn(CONFIG, CALLBACK, answer);
    expect(returnTo).toBe('/templates');
    expect(tokens).toMatchObject({ idToken: 'first', refreshToken: 'again' });
    expect(sessionStorage).toHaveLength(0);
    expect(localStorage).toHaveLength(0);
    const [asked] = issuer.asked;
    expect(asked?.get('grant_type')).toBe('authorization_code');
    const verifier = asked?.get('code_verifier') ?? '';
    expect(verifier.length).toBeGreaterThanOrEqual(43);
    expect(address.href).not.toContain(verifier);
    expect(await challengeOf(verifier)).toBe(params.get('code_challenge'));
  });

  it('counts once, for whoever has begun it', async () => {
    const address = await signInAddress(CONFIG, CALLBACK, '/');
    const answer = answerOf({ code: 'c', state: address.searchParams.get('state') ?? '' });
    await finishSignIn(CONFIG, CALLBACK, answer);
    await expect(finishSignIn(CONFIG, CALLBACK, answer)).rejects.toThrow('used already');
    await signInAddress(CONFIG, CALLBACK, '/');
    const forged = answerOf({ code: 'c', state: 'of somebody else' });
    await expect(finishSignIn(CONFIG, CALLBACK, forged)).rejects.toThrow('not begun here');
    expect(issuer.asked).toHaveLength(1);
  });

  it('says in the words of the issuer why it was refused', async () => {
    const denied = answerOf({ error: 'access_denied', error_description: 'not in this group' });
    await expect(finishSignIn(CONFIG, CALLBACK, denied)).rejects.toThrow('not in this group');
    const address = await signInAddress(CONFIG, CALLBACK, '/');
    issuer.answer = () => Response.json({ error: 'invalid_grant' }, { status: 400 });
    const answer = answerOf({ code: 'c', state: address.searchParams.get('state') ?? '' });
    await expect(finishSignIn(CONFIG, CALLBACK, answer)).rejects.toThrow('invalid_grant');
  });

  it('says what to do where the page came without TLS', async () => {
    vi.stubGlobal('isSecureContext', false);
    await expect(signInAddress(CONFIG, CALLBACK, '/')).rejects.toThrow('open it by https');
  });
});

describe('a session', () => {
  const signedIn = (refreshToken?: string) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const session = new Session();
    const expiresAt = Date.now() + 300_000;
    session.useTokens({ idToken: 'first', ...(refreshToken && { refreshToken }), expiresAt }, CONFIG);
    return session;
  };
  const bearer = (token: string) => ({ kind: 'bearer', token });

  it('renews its token before it ends, once for all who ask at the same time', async () => {
    const session = signedIn('again');
    expect(await session.credential()).toEqual(bearer('first'));
    expect(issuer.asked).toHaveLength(0);
    issuer.answer = () => Response.json({ id_token: 'second', expires_in: 300 });
    vi.setSystemTime(Date.now() + 250_000);
    const all = await Promise.all([session.credential(), session.credential(), session.credential()]);
    expect(all).toEqual([bearer('second'), bearer('second'), bearer('second')]);
    expect(issuer.asked.map((one) => one.get('refresh_token'))).toEqual(['again']);
    // The issuer gave no new refresh token: the old one is still good.
    vi.setSystemTime(Date.now() + 250_000);
    await session.credential();
    expect(issuer.asked.map((one) => one.get('refresh_token'))).toEqual(['again', 'again']);
  });

  it('goes on with what it has while the issuer is away', async () => {
    const session = signedIn('again');
    issuer.answer = () => new Response('', { status: 503 });
    vi.setSystemTime(Date.now() + 250_000);
    expect(await session.credential()).toEqual(bearer('first'));
  });

  it('asks for nothing without a refresh token', async () => {
    const session = signedIn();
    vi.setSystemTime(Date.now() + 250_000);
    expect(await session.credential()).toEqual(bearer('first'));
    expect(issuer.asked).toHaveLength(0);
  });

  it('believes the token, not what stands beside it, when it ends', async () => {
    const session = signedIn('again');
    const claims = btoa(JSON.stringify({ exp: Date.now() / 1000 + 1000 }));
    issuer.answer = () => Response.json({ id_token: `x.${claims}.x`, expires_in: 1 });
    vi.setSystemTime(Date.now() + 250_000);
    await session.credential();
    await session.credential();
    expect(issuer.asked).toHaveLength(1);
  });

  it('has nothing after a sign-out, and says where that of the issuer is', async () => {
    const session = signedIn('again');
    expect(await session.credential()).toEqual(bearer('first'));
    issuer.metadata = { end_session_endpoint: `${ISSUER}/logout?tenant=a` };
    const place = await session.end('https://agenttier.example/');
    expect(place?.href.startsWith(`${ISSUER}/logout?tenant=a&`)).toBe(true);
    expect(Object.fromEntries(place?.searchParams ?? [])).toMatchObject({
      client_id: 'dashboard',
      id_token_hint: 'first',
      post_logout_redirect_uri: 'https://agenttier.example/',
    });
    expect(await session.credential()).toBeUndefined();
    session.useKey('key');
    expect(await new Session().credential()).toEqual({ kind: 'apiKey', key: 'key' });
    expect(await session.end('/')).toBeUndefined();
    expect(await new Session().credential()).toBeUndefined();
  });

  it('ends on the page whether the issuer has a place for that, or can be asked at all', async () => {
    expect(await signedIn().end('/')).toBeUndefined();
    const session = signedIn();
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    expect(await session.end('/')).toBeUndefined();
    expect(await session.credential()).toBeUndefined();
  });
});
