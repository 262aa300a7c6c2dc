// SPDX-License-Identifier: Apache-2.0
import { SignJWT, generateKeyPair } from 'jose';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { TokenIssuer } from '@agenttier/machinery/testing/tokenIssuer';
import { until } from '@agenttier/machinery/testing/until';
import { issueAuthority, issueLeaf } from '@agenttier/machinery/tls/issue';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HttpError } from '../../api/errors.ts';
import type { Principal } from '../principal.ts';
import { Issuer } from './issuer.ts';
import type { OidcSettings } from './settings.ts';
import { Tokens } from './tokens.ts';

const CLIENT = 'agenttier';
const stops: AbortController[] = [];
const now = (): number => Math.floor(Date.now() / 1000);

function settingsOf(issuer: string, more: Partial<OidcSettings> = {}): OidcSettings {
  return {
    issuer,
    clientId: CLIENT,
    adminGroup: 'agenttier-admins',
    groupClaim: 'groups',
    scopes: ['openid'],
    session: 'page',
    allowHttp: false,
    ca: undefined,
    ...more,
  };
}

/** A verifier as the router wires it, with its discovery running. */
function verifierOf(issuer: string, more: Partial<OidcSettings> = {}, groupNamespaces = {}): Tokens {
  const settings = settingsOf(issuer, more);
  const keys = new Issuer({ settings, log: silentLogger, cooldownMs: 50 });
  const stop = new AbortController();
  stops.push(stop);
  void keys.run(stop.signal);
  return new Tokens({ settings, keys, groupNamespaces });
}

const outcome = (tokens: Tokens, token: string): Promise<Principal | HttpError> =>
  tokens.verify(token).catch((error: unknown) => error as HttpError);

/** The person, as soon as the issuer has been found. */
async function person(tokens: Tokens, token: string): Promise<Principal> {
  let last: Principal | HttpError | undefined;
  await until(async () => {
    last = await outcome(tokens, token);
    return !('status' in last && last.status === 503);
  }, 'the issuer to be found');
  if (last instanceof Error || last === undefined) throw new Error('refused', { cause: last });
  return last;
}

let issuer: TokenIssuer;
beforeAll(async () => {
  issuer = await TokenIssuer.start();
});
afterAll(() => issuer.close());
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

describe('a token of the issuer', () => {
  it.each(['RS256', 'ES256'] as const)('signed with %s says who somebody is', async (alg) => {
    const claims = { sub: 'u-1', aud: CLIENT, email: 'ann@example.com', name: 'Ann', groups: ['dev'] };
    expect(await person(verifierOf(issuer.url), await issuer.sign(claims, { alg }))).toEqual({
      sub: 'u-1',
      email: 'ann@example.com',
      name: 'Ann',
      groups: ['dev'],
      isAdmin: false,
      expiresAt: expect.any(Number),
    });
  });

  it('makes an administrator of whoever is in that group, and of nobody without one', async () => {
    const token = await issuer.sign({ sub: 'u-1', aud: ['other', CLIENT], groups: 'agenttier-admins' });
    expect((await person(verifierOf(issuer.url), token)).isAdmin).toBe(true);
    const none = await issuer.sign({ sub: 'u-1', aud: CLIENT, groups: [''] });
    expect((await person(verifierOf(issuer.url, { adminGroup: '' }), none)).isAdmin).toBe(false);
  });

  it('finds the groups inside objects and under names with dots', async () => {
    const claims = {
      sub: 'u',
      aud: CLIENT,
      realm_access: { roles: ['a'] },
      'https://x.example/groups': ['b', 5],
    };
    const token = await issuer.sign(claims);
    const groups = async (groupClaim: string): Promise<readonly string[]> =>
      (await person(verifierOf(issuer.url, { groupClaim }), token)).groups;
    expect(await groups('realm_access.roles')).toEqual(['a']);
    expect(await groups('https://x.example/groups')).toEqual(['b']);
    expect(await groups('constructor.name')).toEqual([]);
  });

  it('gives no address that the issuer calls unproven', async () => {
    const token = await issuer.sign({
      sub: 'u',
      aud: CLIENT,
      email: 'boss@example.com',
      email_verified: false,
    });
    expect((await person(verifierOf(issuer.url), token)).email).toBe('');
  });

  it('opens the namespaces of the groups, none without a group, all to administrators', async () => {
    const tokens = verifierOf(issuer.url, {}, { dev: ['team-a', 'team-b'], qa: ['team-b'], all: ['*'] });
    const of = async (...groups: string[]): Promise<readonly string[] | undefined> =>
      (await person(tokens, await issuer.sign({ sub: 'u', aud: CLIENT, groups }))).namespaces;
    expect(await of('dev', 'qa')).toEqual(['team-a', 'team-b']);
    expect(await of('others')).toEqual([]);
    expect(await of()).toEqual([]);
    expect(await of('all')).toBeUndefined();
    expect(await of('agenttier-admins')).toBeUndefined();
  });
});

describe('refused', () => {
  const good = { sub: 'u-1', aud: CLIENT };
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const strangers = async (alg: 'RS256' | 'ES256'): Promise<string> => {
    const { privateKey } = await generateKeyPair(alg);
    const payload = { iss: issuer.url, exp: now() + 60, ...good };
    const kid = alg === 'RS256' ? 'rsa-1' : 'ec-1';
    return new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(privateKey);
  };
  const rows: [name: string, token: () => Promise<string>, words: RegExp][] = [
    ['another issuer', () => issuer.sign({ ...good, iss: `${issuer.url}/` }), /another issuer/],
    ['another audience', () => issuer.sign({ ...good, aud: 'agenttier2' }), /another audience/],
    ['no audience', () => issuer.sign({ sub: 'u-1' }), /another audience/],
    ['an expired one', () => issuer.sign(good, { expiresIn: -60 }), /expired/],
    [
      'one without an end',
      () => issuer.sign({ ...good, exp: undefined as never }),
      /no time at which it expires/,
    ],
    ['one for later', () => issuer.sign({ ...good, nbf: now() + 120 }), /not valid yet/],
    ['one from the future', () => issuer.sign({ ...good, iat: now() + 120 }), /in the future/],
    ['nobody', () => issuer.sign({ aud: CLIENT }), /subject/],
    ['a subject with a line break', () => issuer.sign({ ...good, sub: 'a\nb' }), /subject/],
    ['an unknown key', () => issuer.sign(good, { kid: 'nobodys' }), /does not know/],
    ["a stranger's RSA key", () => strangers('RS256'), /signature/],
    ["a stranger's curve", () => strangers('ES256'), /signature/],
    ['garbage', async () => 'x.y.z', /not a signed token/],
    ['nothing much', async () => 'x', /not a signed token/],
    ['a huge one', async () => 'a'.repeat(20_000), /too long/],
    [
      'no signature',
      async () => `${encode({ alg: 'none' })}.${encode({ iss: issuer.url, exp: now() + 60, ...good })}.`,
      /RS256 or ES256/,
    ],
    [
      'the public key as a shared secret',
      async () =>
        new SignJWT({ iss: issuer.url, exp: now() + 60, ...good })
          .setProtectedHeader({ alg: 'HS256', kid: 'rsa-1' })
          .sign(new TextEncoder().encode(await issuer.publicPem())),
      /RS256 or ES256/,
    ],
    [
      'another payload under a good signature',
      async () => {
        const [head, , tail] = (await issuer.sign(good)).split('.');
        return `${head}.${encode({ iss: issuer.url, exp: now() + 60, ...good, sub: 'root' })}.${tail}`;
      },
      /signature/,
    ],
  ];
  it.each(rows)('%s', async (_name, token, words) => {
    const tokens = verifierOf(issuer.url);
    await person(tokens, await issuer.sign(good));
    expect(await outcome(tokens, await token())).toMatchObject({
      status: 401,
      body: { error: 'invalid_token', message: expect.stringMatching(words) },
    });
  });

  it('but not for clocks that are a little apart', async () => {
    const token = await issuer.sign({ ...good, nbf: now() + 10, iat: now() + 10 }, { expiresIn: -10 });
    expect((await person(verifierOf(issuer.url), token)).sub).toBe('u-1');
  });
});

describe('the issuer', () => {
  it('may change its keys', async () => {
    const own = await TokenIssuer.start();
    const tokens = verifierOf(own.url);
    const before = await own.sign({ sub: 'u', aud: CLIENT });
    await person(tokens, before);
    await own.rotate();
    const after = await own.sign({ sub: 'u2', aud: CLIENT });
    await until(async () => 'sub' in (await outcome(tokens, after)), 'the new key to be known');
    expect(await outcome(tokens, before)).toMatchObject({ status: 401 });
    await own.close();
  });

  it('is not asked for its keys at every made-up key id', async () => {
    const own = await TokenIssuer.start();
    const settings = settingsOf(own.url);
    const keys = new Issuer({ settings, log: silentLogger });
    const stop = new AbortController();
    stops.push(stop);
    void keys.run(stop.signal);
    const tokens = new Tokens({ settings, keys, groupNamespaces: {} });
    await person(tokens, await own.sign({ sub: 'u', aud: CLIENT }));
    for (let i = 0; i < 50; i++) {
      const made = await own.sign({ sub: 'u', aud: CLIENT }, { kid: `made-up-${i}` });
      expect(await outcome(tokens, made)).toMatchObject({ status: 401 });
    }
    expect(own.keyFetches).toBeLessThanOrEqual(3);
    await own.close();
  });

  it('may come later than the router, which says so until then', async () => {
    const early = await TokenIssuer.start();
    early.up = false;
    const tokens = verifierOf(early.url);
    const token = await early.sign({ sub: 'u', aud: CLIENT });
    expect(await outcome(tokens, token)).toMatchObject({ status: 503, headers: { 'Retry-After': '1' } });
    early.up = true;
    expect((await person(tokens, token)).sub).toBe('u');
    await early.close();
  });

  it('that goes away signs nobody out whose key is known, and says nothing about others', async () => {
    const own = await TokenIssuer.start();
    const tokens = verifierOf(own.url);
    const token = await own.sign({ sub: 'u', aud: CLIENT });
    await person(tokens, token);
    own.up = false;
    expect(await outcome(tokens, token)).toMatchObject({ sub: 'u' });
    const unknown = await own.sign({ sub: 'u', aud: CLIENT }, { kid: 'rsa-9' });
    await until(async () => {
      const got = await outcome(tokens, unknown);
      return 'status' in got && got.status === 503;
    }, 'the answer that nothing can be said');
    await own.close();
  });

  it('must be the one that was configured, by its own word', async () => {
    const warned: unknown[] = [];
    const log = {
      ...silentLogger,
      warn: (fields: object) => void warned.push(fields),
    } as typeof silentLogger;
    const settings = settingsOf(`${issuer.url}/`);
    const keys = new Issuer({ settings, log });
    const stop = new AbortController();
    stops.push(stop);
    void keys.run(stop.signal);
    await until(() => warned.length > 0, 'the warning');
    expect(String((warned[0] as { err: Error }).err)).toMatch(/calls itself/);
    const tokens = new Tokens({ settings, keys, groupNamespaces: {} });
    expect(await outcome(tokens, await issuer.sign({ sub: 'u', aud: CLIENT }))).toMatchObject({
      status: 503,
    });
  });

  it('behind a private authority is believed with that authority only', async () => {
    const validity = { from: Date.now() - 60_000, until: Date.now() + 3_600_000 };
    const authority = await issueAuthority('issuer', validity);
    const leaf = await issueLeaf(authority, { dnsNames: [], ipAddresses: ['127.0.0.1'], validity });
    const own = await TokenIssuer.start({ tls: { cert: leaf.cert, key: leaf.key } });
    const token = await own.sign({ sub: 'u', aud: CLIENT });
    const without = verifierOf(own.url);
    expect((await person(verifierOf(own.url, { ca: authority.cert }), token)).sub).toBe('u');
    expect(await outcome(without, token)).toMatchObject({ status: 503 });
    await own.close();
  });
});
