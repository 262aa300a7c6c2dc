// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { until } from '@agenttier/machinery/testing/until';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN_KEY, ANN_KEY, Harness } from '../../testing/harness.ts';
import { IssuerTab } from '../../testing/issuer/browser.ts';
import { TEST_KEY } from '../../testing/tokens.ts';
import { Issuer } from '../oidc/issuer.ts';
import { TokenEndpoint } from '../oidc/tokenEndpoint.ts';
import { Tokens } from '../oidc/tokens.ts';
import { openSession, sealedIn, sealSession, sessionCookies } from './cookie.ts';
import { SessionDesk } from './desk.ts';

const MAIN = fileURLToPath(new URL('../../testing/issuer/process.ts', import.meta.url));
const CLIENT = 'agenttier';
const VERIFIER = 'v'.repeat(43);
const OWN = { 'X-AgentTier-Session': '1' };

let provider: ChildProcess;
let harness: Harness;
let settings: ReturnType<typeof settingsOf>;
const discovering = new AbortController();

const settingsOf = (issuer: string) => ({
  issuer,
  clientId: CLIENT,
  adminGroup: 'admins',
  groupClaim: 'groups',
  scopes: ['openid', 'profile', 'email'],
  session: 'cookie' as const,
  allowHttp: false,
  ca: undefined,
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

beforeAll(async () => {
  const port = await freePort();
  provider = spawn(process.execPath, [MAIN, String(port), CLIENT], { stdio: ['ignore', 'pipe', 'ignore'] });
  if (provider.stdout) await once(provider.stdout, 'data');
  settings = settingsOf(`http://127.0.0.1:${port}`);
  const auditing = {
    store: 'sqlite',
    sqlitePath: ':memory:',
    postgresUrl: '',
    retentionMs: 86_400_000,
  } as const;
  harness = await Harness.start({ oidc: settings, auditing });
}, 60_000);

afterAll(async () => {
  discovering.abort();
  await harness.stop();
  provider.kill('SIGKILL');
  await once(provider, 'exit');
});

/** What a browser would send back of what it was given. */
function cookieOf(lines: readonly string[]): string {
  const kept = lines.map((line) => line.split(';')[0] ?? '').filter((pair) => !pair.endsWith('='));
  return kept.join('; ');
}

/** A code that the issuer gives to a page of this router. */
async function codeFor(person: string): Promise<{ code: string; verifier: string; redirectUri: string }> {
  const tab = new IssuerTab();
  // The issuer knows the client's pages on loopback, whatever their port (RFC 8252, 7.3).
  const redirectUri = `${harness.url}/callback`;
  const question = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT,
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    state: 'mine',
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const form = await tab.open(`${settings.issuer}/auth?${question.toString()}`);
  const { url } = await tab.open(form.url, { person });
  return { code: url.searchParams.get('code') ?? '', verifier: VERIFIER, redirectUri };
}

const call = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
  harness.call(method, `/api/v1${path}`, { key: '', headers, ...(body === undefined ? {} : { body }) });
const begin = async (body: unknown, headers: Record<string, string> = {}) =>
  call('POST', '/auth/session', { ...OWN, Origin: harness.url, ...headers }, body);

/** Until the router has found its issuer nothing can be redeemed, and no code is used up by that. */
async function signIn(
  person: string,
): Promise<{ cookie: string; lines: string[]; body: { expiresAt: string } }> {
  const body = await codeFor(person);
  let answer = await begin(body);
  await until(async () => {
    if (answer.status === 503) answer = await begin(body);
    return answer.status !== 503;
  }, 'the issuer to be found');
  expect(answer.status).toBe(200);
  const lines = answer.headers.getSetCookie();
  return { cookie: cookieOf(lines), lines, body: answer.body };
}

describe('a sign-in in cookies', () => {
  let cookie = '';
  let lines: string[] = [];
  let body: { expiresAt: string };
  beforeAll(async () => void ({ cookie, lines, body } = await signIn('ann')), 60_000);

  it('is announced to the page', async () => {
    expect((await call('GET', '/auth/config', {})).body).toMatchObject({ mode: 'oidc', session: 'cookie' });
  });

  it('hands no token out, neither in the answer nor where a script could read it', () => {
    expect(Object.keys(body)).toEqual(['expiresAt']);
    expect(Date.parse(body.expiresAt)).toBeGreaterThan(Date.now());
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      expect(line).toMatch(
        /^__Host-agenttier-session-\d=[^;]*; (Max-Age=0; )?Path=\/; Secure; HttpOnly; SameSite=Strict$/,
      );
    }
    expect(cookie).not.toContain('eyJ');
  });

  it('counts for requests of the page, again and again, as the person', async () => {
    for (let load = 0; load < 2; load++) {
      const answer = await call('GET', '/user/me', { ...OWN, cookie });
      expect(answer).toMatchObject({ status: 200, body: { sub: 'ann', groups: ['dev'], isAdmin: false } });
    }
  });

  it.each([
    ['GET', '/user/me'],
    ['POST', '/sandboxes'],
    ['POST', '/auth/session/renewal'],
    ['DELETE', '/auth/session'],
  ])('does not count without the header of the page: %s %s', async (method, path) => {
    const answer = await call(method, path, { cookie, Origin: harness.url });
    expect(answer).toMatchObject({ status: 403, body: { error: 'session_header_missing' } });
  });

  it.each([
    [{ Origin: 'https://evil.example' }],
    [{ Origin: 'null' }],
    [{ 'Sec-Fetch-Site': 'same-site' }],
    [{ 'Sec-Fetch-Site': 'cross-site' }],
  ])('does not count for pages of others: %o', async (foreign) => {
    const headers = { ...OWN, cookie, ...(foreign as Record<string, string>) };
    for (const [method, path] of [
      ['GET', '/user/me'],
      ['DELETE', '/auth/session'],
      ['POST', '/auth/session/renewal'],
    ] as const) {
      const answer = await call(method, path, headers);
      expect(answer).toMatchObject({ status: 403, body: { error: 'origin_not_allowed' } });
    }
  });

  it('is not looked at beside a key or a token', async () => {
    const withKey = await call('GET', '/user/me', { ...OWN, cookie, 'X-API-Key': ANN_KEY });
    expect(withKey.body).toMatchObject({ sub: 'ann', groups: [] });
    for (const bad of [{ 'X-API-Key': 'atk_wrong' }, { Authorization: 'Bearer wrong' }]) {
      expect((await call('GET', '/user/me', { ...OWN, cookie, ...bad })).status).toBe(401);
    }
  });

  it('that this installation did not seal is none', async () => {
    const session = { idToken: 'x', sub: 'root', expiresAt: Date.now() + 1e6 };
    const foreign = cookieOf(sessionCookies(sealSession(Buffer.alloc(32, 8), session) ?? ''));
    const changed = cookie
      .replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
      .replace(/=(.)/, (_, first) => `=${first === 'A' ? 'B' : 'A'}`);
    for (const forged of [foreign, changed, '__Host-agenttier-session-0=x']) {
      expect(await call('GET', '/user/me', { ...OWN, cookie: forged })).toMatchObject({
        status: 401,
        body: { error: 'missing_authorization' },
      });
    }
  });

  it('is told its end while that is far, and keeps its cookies', async () => {
    // The issuer's tokens are good for 65 s, so a session that has just begun is not renewed.
    const { cookie: fresh, body: begun } = await signIn('bob');
    const answer = await call('POST', '/auth/session/renewal', {
      ...OWN,
      cookie: fresh,
      Origin: harness.url,
    });
    expect(answer).toMatchObject({ status: 200, body: begun });
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it('is refused a code that is wrong, used, or for a page elsewhere', async () => {
    const good = await codeFor('ann');
    const elsewhere = await begin({ ...good, redirectUri: 'https://evil.example/callback' });
    expect(elsewhere.status).toBe(400);
    expect((await begin(good, { Origin: 'https://evil.example' })).status).toBe(403);
    expect(await begin({ ...good, verifier: 'w'.repeat(43) })).toMatchObject({
      status: 401,
      body: { error: 'invalid_token', message: expect.stringContaining('invalid_grant') },
    });
    expect((await begin(good)).status).toBe(200);
    expect((await begin(good)).status).toBe(401);
  });

  it('ends: the browser is told to forget it', async () => {
    const answer = await call('DELETE', '/auth/session', { ...OWN, cookie, Origin: harness.url });
    expect(answer.status).toBe(204);
    const gone = answer.headers.getSetCookie();
    expect(gone).toHaveLength(3);
    for (const line of gone) expect(line).toMatch(/^__Host-agenttier-session-\d=; Max-Age=0; /);
    expect((await call('POST', '/auth/session/renewal', OWN)).status).toBe(401);
  });

  it('is kept as an act, its end too, without what it was done with', async () => {
    const told = async (type: string) =>
      (await harness.call('GET', `/api/v1/audit/events?type=${type}`, { key: ADMIN_KEY })).body
        .events as object[];
    await until(async () => (await told('SessionEnded')).length > 0, 'the end in the store');
    const all = [...(await told('SessionStarted')), ...(await told('SessionEnded'))];
    expect(all[0]).toMatchObject({ userEmail: expect.stringContaining('@example.com') });
    expect(JSON.stringify(all)).not.toMatch(/eyJ|__Host/);
  });
});

describe('a session that is about to end, or has ended', () => {
  let now = Date.now();
  let desk: SessionDesk;
  let keys: Issuer;
  beforeEach(() => void (now = Date.now()));
  beforeAll(async () => {
    keys = new Issuer({ settings, log: silentLogger });
    void keys.run(discovering.signal);
    desk = new SessionDesk({
      stores: harness.router.stores,
      tokens: new Tokens({ settings, keys, groupNamespaces: {} }),
      issuer: new TokenEndpoint({ clientId: CLIENT, issuer: keys, log: silentLogger }),
      now: () => now,
    });
    await until(
      async () => (await keys.post('token', {}).catch(() => undefined)) !== undefined,
      'the issuer',
    );
  }, 60_000);

  const sessionIn = (cookie: string) => {
    const session = openSession(TEST_KEY, sealedIn(cookie) ?? '');
    if (session === undefined) throw new Error('it is not sealed by this installation');
    return session;
  };

  it('is renewed, and its refresh token with it', async () => {
    const first = sessionIn((await signIn('ann')).cookie);
    now += 30_000;
    const renewed = await desk.renew(first);
    const second = sessionIn(cookieOf(renewed.cookies ?? []));
    expect(second.sub).toBe('ann');
    expect(second.refreshToken).not.toBe(first.refreshToken);
    now = second.expiresAt + 1;
    expect((await desk.renew(second)).cookies).toHaveLength(3);
    // The issuer takes each refresh token once.
    await expect(desk.renew(first)).rejects.toMatchObject({ status: 401, body: { error: 'invalid_token' } });
  });

  it('is renewed for nobody else', async () => {
    const { cookie } = await signIn('ann');
    now += 30_000;
    await expect(desk.renew({ ...sessionIn(cookie), sub: 'bob' })).rejects.toMatchObject({ status: 401 });
  });

  it('goes on to its end without a refresh token, and no further', async () => {
    const { refreshToken: _none, ...session } = sessionIn((await signIn('ann')).cookie);
    now = session.expiresAt - 1;
    expect(await desk.renew(session)).toEqual({ expiresAt: session.expiresAt });
    now = session.expiresAt + 1;
    await expect(desk.renew(session)).rejects.toMatchObject({ status: 401 });
  });

  it('counts no more once its token has expired', async () => {
    const { cookie } = await signIn('ann');
    const token = desk.tokenOf({ cookie, 'x-agenttier-session': '1' }) ?? '';
    const later = (ms: number) => new Tokens({ settings, keys, groupNamespaces: {}, now: () => now + ms });
    expect(await later(0).verify(token)).toMatchObject({ sub: 'ann' });
    await expect(later(200_000).verify(token)).rejects.toMatchObject({
      status: 401,
      body: { message: expect.stringContaining('expired') },
    });
  });

  it('takes its refresh token along when it ends, where the issuer revokes', async () => {
    const { cookie } = await signIn('ann');
    await desk.end({ cookie, 'x-agenttier-session': '1' });
    now += 30_000;
    await expect(desk.renew(sessionIn(cookie))).rejects.toMatchObject({ status: 401 });
  });
});

describe('what is sealed', () => {
  const session = { idToken: 'i'.repeat(6_000), refreshToken: 'r', sub: 'ann', expiresAt: 1 };

  it('is split where it is too long for one cookie, and whole again', () => {
    const lines = sessionCookies(sealSession(TEST_KEY, session) ?? '');
    expect(lines.map((line) => line.split(';')[0]?.length ?? 0).every((length) => length <= 4096)).toBe(true);
    const cookie = ['other=1', ...lines.map((line) => line.split(';')[0] ?? '').reverse()].join('; ');
    expect(openSession(TEST_KEY, sealedIn(cookie) ?? '')).toEqual(session);
  });

  it('is refused when it does not fit', () => {
    expect(sealSession(TEST_KEY, { ...session, idToken: 'i'.repeat(9_000) })).toBeUndefined();
  });

  it('is none in a header without it', () => {
    expect(sealedIn(undefined)).toBeUndefined();
    expect(sealedIn('a=b')).toBeUndefined();
  });
});
