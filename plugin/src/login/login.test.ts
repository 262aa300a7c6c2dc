// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json, ScriptedServer } from '@agenttier/machinery/testing/scriptedServer';
import { until } from '@agenttier/machinery/testing/until';
import { systemClock } from '@agenttier/machinery/runtime/clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeHost, fakeHost, runWith } from '../testing/fakeHost.ts';

let router: ScriptedServer;
let issuer: ScriptedServer;
let file: string;
let url: string;

beforeEach(async () => {
  [router, issuer] = await Promise.all([ScriptedServer.start(), ScriptedServer.start()]);
  file = join(await mkdtemp(join(tmpdir(), 'agenttier-login-')), 'deep', 'config.json');
  url = `${router.access().server}/`;
  router.on('GET', '/api/v1/user/me', (response, request) => {
    const known = request.headers['x-api-key'] === 'atk_good' || request.headers.authorization !== undefined;
    const refused = json({ error: 'invalid_api_key', message: 'this API key is unknown' }, 401);
    (known ? json({ sub: 'ann', email: 'ann@example.com' }) : refused)(response, request);
  });
});
afterEach(() => Promise.all([router.close(), issuer.close()]));

/** Nobody waits for an interval in a test. */
const impatient = {
  ...systemClock,
  sleep: async (_ms: number, signal?: AbortSignal) => signal?.throwIfAborted(),
};
const host = (variables: Record<string, string> = {}): FakeHost =>
  fakeHost({ variables: { AGENTTIER_CONFIG: file, ...variables }, clock: impatient });
const saved = async (): Promise<Record<string, string>> =>
  JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
const idToken = (claims: object): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;

/** An installation whose people come by an issuer. */
function withIssuer(endpoints: object = {}): void {
  const base = issuer.access().server;
  router.on(
    'GET',
    '/api/v1/auth/config',
    json({ mode: 'oidc', issuer: base, clientId: 'cli', scopes: ['email'] }),
  );
  issuer.on(
    'GET',
    '/.well-known/openid-configuration',
    json({
      issuer: base,
      token_endpoint: `${base}/token`,
      authorization_endpoint: `${base}/authorize?tenant=1`,
      ...endpoints,
    }),
  );
}

describe('login with a key', () => {
  it('keeps it for the person alone, and other commands use it', async () => {
    const one = host();
    one.streams.in.end('atk_good\n');
    expect(await runWith(one, 'login', '--api-url', url, '--with-key')).toEqual({
      code: 0,
      out: `Saved config to ${file}\nAuthenticated as: ann@example.com\n`,
      err: '',
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await saved()).toEqual({ api_url: url, api_key: 'atk_good' });
    expect((await runWith(host(), 'whoami')).out).toBe('Router: ann@example.com (ann)\n');
    expect((await runWith(host(), 'logout')).code).toBe(0);
    expect((await runWith(host(), 'mcp')).err).toMatch(/^error: the router cannot be used: set --api-url/);
  });

  it('remembers nothing when the router refuses', async () => {
    const { code, err } = await runWith(host(), 'login', '--api-url', url, '--api-key', 'atk_bad');
    expect({ code, err }).toEqual({
      code: 1,
      err: 'Error from router (invalid_api_key): this API key is unknown\n',
    });
    await expect(stat(file)).rejects.toThrow();
  });

  it('sends what it remembers to that router only', async () => {
    await runWith(host(), 'login', '--api-url', url, '--api-key', 'atk_good');
    const elsewhere = issuer.access().server;
    expect((await runWith(host(), 'mcp', '--api-url', elsewhere)).err).toMatch(
      /^error: the router cannot be used: set --api-key/,
    );
    expect(issuer.requests).toEqual([]);
  });

  it('lets flags win over the environment, and that over the file', async () => {
    await runWith(host(), 'login', '--api-url', url, '--api-key', 'atk_good');
    const env = { AGENTTIER_TOKEN: 'from-env' };
    await runWith(host(env), 'whoami');
    await runWith(host(env), 'whoami', '--token', 'from-flag');
    await runWith(host({ ...env, AGENTTIER_API_KEY: 'atk_good' }), 'whoami');
    const used = router.requests.slice(1).map(({ headers }) => headers.authorization ?? headers['x-api-key']);
    expect(used).toEqual(['Bearer from-env', 'Bearer from-flag', 'atk_good']);
  });

  it.each([
    [['login'], 2, 'error: say where the router is: --api-url https://...\n'],
    [['login', '--api-url', 'ftp://x'], 1, /^error: the router's URL must start with http/],
  ])('refuses %j', async (args, code, err) => {
    const outcome = await runWith(host(), ...args);
    expect(outcome.code).toBe(code);
    expect(outcome.err).toMatch(err);
  });

  it('names a file that is broken', async () => {
    await runWith(host(), 'login', '--api-url', url, '--api-key', 'atk_good');
    await writeFile(file, '{');
    expect((await runWith(host(), 'mcp')).err).toMatch(
      /config.json cannot be used: .*kubectl agenttier login\n/,
    );
  });

  it('says which way an installation without an issuer lets people in', async () => {
    router.on('GET', '/api/v1/auth/config', json({ mode: 'keys' }));
    expect((await runWith(host(), 'login', '--api-url', url)).err).toMatch(
      /by API key: give it with --with-key/,
    );
  });
});

describe('login with a code', () => {
  beforeEach(() => withIssuer({ device_authorization_endpoint: `${issuer.access().server}/device` }));
  const form = (at: number): Record<string, string> =>
    Object.fromEntries(new URLSearchParams(issuer.requestsTo('/token')[at]?.body));

  it('shows it, waits until it is confirmed, and renews the token when its time is up', async () => {
    const started = {
      device_code: 'dev-1',
      user_code: 'AB-CD',
      verification_uri: 'https://id.example.com/d',
    };
    const old = idToken({ exp: 1000 });
    const fresh = idToken({ exp: Date.now() / 1000 + 3600 });
    issuer
      .on('POST', '/device', json({ ...started, interval: 1 }))
      .on(
        'POST',
        '/token',
        json({ error: 'authorization_pending' }, 400),
        json({ error: 'slow_down' }, 400),
        json({ access_token: 'opaque', id_token: old, refresh_token: 'r1' }),
        json({ id_token: fresh }),
      );
    const { code, err } = await runWith(host(), 'login', '--api-url', url);
    expect({ code, err }).toEqual({
      code: 0,
      err: 'Open https://id.example.com/d\nand enter the code AB-CD\n',
    });
    expect(form(2)).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      client_id: 'cli',
      device_code: 'dev-1',
    });
    expect(await saved()).toMatchObject({ token: old, refresh_token: 'r1', client_id: 'cli' });
    expect((await runWith(host(), 'whoami')).code).toBe(0);
    expect(router.requests.at(-1)?.headers.authorization).toBe(`Bearer ${fresh}`);
    expect(form(3)).toEqual({ grant_type: 'refresh_token', client_id: 'cli', refresh_token: 'r1' });
    expect(await saved()).toMatchObject({ token: fresh, refresh_token: 'r1' });
  });

  it.each([
    ['access_denied', 'error: the sign-in was declined\n'],
    ['expired_token', 'error: the code was not confirmed in time; try again\n'],
  ])('tells %s', async (error, err) => {
    issuer.on('POST', '/device', json({ device_code: 'd' })).on('POST', '/token', json({ error }, 400));
    expect((await runWith(host(), 'login', '--api-url', url)).err).toContain(err);
  });

  it('asks to sign in again when the issuer has had enough', async () => {
    issuer
      .on('POST', '/device', json({ device_code: 'd' }))
      .on(
        'POST',
        '/token',
        json({ id_token: idToken({ exp: 1 }), refresh_token: 'r' }),
        json({ error: 'invalid_grant' }, 400),
      );
    await runWith(host(), 'login', '--api-url', url);
    expect((await runWith(host(), 'mcp')).err).toBe(
      'error: your sign-in has expired; sign in again with: kubectl agenttier login\n',
    );
  });
});

describe('logout', () => {
  const loggedIn = async (endpoints: object): Promise<void> => {
    withIssuer({ device_authorization_endpoint: `${issuer.access().server}/device`, ...endpoints });
    issuer
      .on('POST', '/device', json({ device_code: 'd' }))
      .on('POST', '/token', json({ id_token: idToken({}), refresh_token: 'r1' }));
    expect((await runWith(host(), 'login', '--api-url', url)).code).toBe(0);
  };
  const gone = () => expect(stat(file)).rejects.toThrow();

  it('has the issuer end the refresh token', async () => {
    const { server } = issuer.access();
    await loggedIn({ revocation_endpoint: `${server}/revoke` });
    issuer.on('POST', '/revoke', json({}));
    const { code, out } = await runWith(host(), 'logout');
    expect({ code, out }).toEqual({
      code: 0,
      out: `Removed ${file}\nEnded the sign-in at the issuer ${server}\n`,
    });
    const [asked] = issuer.requestsTo('/revoke');
    expect(Object.fromEntries(new URLSearchParams(asked?.body))).toEqual({
      client_id: 'cli',
      token: 'r1',
      token_type_hint: 'refresh_token',
    });
    await gone();
  });

  it('forgets all the same where the issuer cannot be told, and says so', async () => {
    await loggedIn({ revocation_endpoint: `${issuer.access().server}/revoke` });
    issuer.on('POST', '/revoke', json({ error: 'server_error' }, 503));
    const { code, out } = await runWith(host(), 'logout');
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('could not be told') });
    await gone();
  });

  it('says where the issuer has no such place', async () => {
    await loggedIn({});
    expect((await runWith(host(), 'logout')).out).toContain('no way to end a sign-in early');
    await gone();
  });

  it('removes a file that is broken, and one that holds a key', async () => {
    await runWith(host(), 'login', '--api-url', url, '--api-key', 'atk_good');
    expect(await runWith(host(), 'logout')).toMatchObject({ code: 0, out: `Removed ${file}\n` });
    await writeFile(file, '{');
    expect(await runWith(host(), 'logout')).toMatchObject({ code: 0, out: `Removed ${file}\n` });
    await gone();
  });
});

describe('login by the browser', () => {
  /** Starts a login and plays the browser that follows its link. */
  async function follow(
    answer: (asked: URLSearchParams) => Record<string, string>,
  ): Promise<{ code: number; err: string }> {
    withIssuer();
    const one = host();
    const running = runWith(one, 'login', '--api-url', url, '--browser');
    await until(() => one.streams.err.text.includes('\n'), 'the link');
    const link = new URL(/^Open (.*)\n/.exec(one.streams.err.text)?.[1] ?? '');
    const back = new URL(link.searchParams.get('redirect_uri') ?? '');
    expect((await fetch(`${back.href}?code=stolen&state=guess`)).status).toBe(404);
    back.search = new URLSearchParams(answer(link.searchParams)).toString();
    expect((await fetch(back)).status).toBe(200);
    return running;
  }

  it('proves with PKCE that it asked', async () => {
    let nonce = '';
    let challenge = '';
    issuer.on('POST', '/token', (response, request) =>
      json({ id_token: idToken({ nonce }) })(response, request),
    );
    const { code } = await follow((asked) => {
      nonce = asked.get('nonce') ?? '';
      challenge = asked.get('code_challenge') ?? '';
      expect(Object.fromEntries(asked)).toMatchObject({
        tenant: '1',
        client_id: 'cli',
        code_challenge_method: 'S256',
      });
      expect(asked.get('scope')).toBe('openid email offline_access');
      return { code: 'c-1', state: asked.get('state') ?? '' };
    });
    expect(code).toBe(0);
    const form = new URLSearchParams(issuer.requestsTo('/token')[0]?.body);
    const hash = await crypto.subtle.digest('SHA-256', Buffer.from(form.get('code_verifier') ?? ''));
    expect(Buffer.from(hash).toString('base64url')).toBe(challenge);
    expect(form.get('code')).toBe('c-1');
  });

  it('refuses an answer to another question, and tells a refusal', async () => {
    issuer.on('POST', '/token', json({ id_token: idToken({ nonce: 'another' }) }));
    const other = await follow((asked) => ({ code: 'c', state: asked.get('state') ?? '' }));
    expect(other.err).toContain('error: the issuer answered another sign-in than this one; try again\n');
    const declined = await follow((asked) => ({ error: 'access_denied', state: asked.get('state') ?? '' }));
    expect(declined.err).toContain('error: the sign-in was declined: access_denied\n');
  });
});
