// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Session } from './session.ts';
import type { AuthConfig } from './user.ts';

const ISSUER = 'https://login.example';
const CONFIG: AuthConfig = { mode: 'oidc', issuer: ISSUER, clientId: 'dashboard', session: 'cookie' };
const CODE = { code: 'c', verifier: 'v'.repeat(43), redirectUri: 'https://agenttier.example/callback' };

/** A server that keeps a session, and remembers what it was asked. */
class Server {
  readonly asked: string[] = [];
  readonly bodies: unknown[] = [];
  endsAt: number | undefined;
  away = false;

  readonly fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.origin === ISSUER) return Response.json({ end_session_endpoint: `${ISSUER}/logout` });
    if (this.away) throw new TypeError('Failed to fetch');
    expect(new Headers(init?.headers).get('X-AgentTier-Session')).not.toBeNull();
    expect(new Headers(init?.headers).has('Authorization')).toBe(false);
    this.asked.push(`${init?.method} ${url.pathname.replace('/api/v1/auth/session', '')}`);
    return this.#answer(init);
  };

  #answer(init: RequestInit | undefined): Response {
    if (typeof init?.body === 'string') {
      this.bodies.push(JSON.parse(init.body));
      this.endsAt = Date.now() + 300_000;
    }
    if (init?.method === 'DELETE') {
      this.endsAt = undefined;
      return new Response(undefined, { status: 204 });
    }
    if (this.endsAt === undefined) return Response.json({ error: 'missing_authorization' }, { status: 401 });
    return Response.json({ expiresAt: new Date(this.endsAt).toISOString() });
  }
}

let server: Server;
const cookie = { kind: 'cookie' };

function prepared(): Session {
  const session = new Session();
  session.prepare(CONFIG, '/api/v1');
  return session;
}

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
  server = new Server();
  vi.stubGlobal('fetch', server.fetch);
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('a session in cookies', () => {
  it('begins with the code and its verifier, and leaves nothing in the page', async () => {
    const session = prepared();
    await session.begin(CODE, CONFIG);
    expect(server.bodies).toEqual([CODE]);
    expect(await session.credential()).toEqual(cookie);
    expect(server.asked).toEqual(['POST ']);
    expect([sessionStorage.length, localStorage.length]).toEqual([0, 0]);
  });

  it('is there again after a load of the page, and is asked for once', async () => {
    server.endsAt = Date.now() + 300_000;
    const session = prepared();
    const all = await Promise.all([session.credential(), session.credential()]);
    expect([...all, await session.credential()]).toEqual([cookie, cookie, cookie]);
    expect(server.asked).toEqual(['POST /renewal']);
  });

  it('is none where the server knows of none', async () => {
    const session = prepared();
    expect([await session.credential(), await session.credential()]).toEqual([undefined, undefined]);
    expect(server.asked).toEqual(['POST /renewal']);
  });

  it('is renewed before it ends, in one tab at a time', async () => {
    server.endsAt = Date.now() + 30_000;
    let running = 0;
    let most = 0;
    vi.stubGlobal('fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      return server.fetch(input, init).finally(() => running--);
    });
    const tabs = [prepared(), prepared()].map((session) => session.credential());
    expect(await Promise.all(tabs)).toEqual([cookie, cookie]);
    expect(server.asked).toEqual(['POST /renewal', 'POST /renewal']);
    expect(most).toBe(1);
  });

  it('goes on while the server is away, and ends when it says so', async () => {
    const session = prepared();
    await session.begin(CODE, CONFIG);
    vi.setSystemTime(Date.now() + 250_000);
    server.away = true;
    expect(await session.credential()).toEqual(cookie);
    server.away = false;
    server.endsAt = undefined;
    vi.setSystemTime(Date.now() + 10_000);
    expect(await session.credential()).toBeUndefined();
  });

  it('ends at the server and then at the issuer, without a token in the address', async () => {
    const session = prepared();
    await session.begin(CODE, CONFIG);
    const place = await session.end('https://agenttier.example/');
    expect(place?.origin).toBe(ISSUER);
    expect(place?.searchParams.has('id_token_hint')).toBe(false);
    expect(server.asked.at(-1)).toBe('DELETE ');
    expect(await session.credential()).toBeUndefined();
  });

  it('is still there when the server could not be told of the end', async () => {
    const session = prepared();
    await session.begin(CODE, CONFIG);
    server.away = true;
    await expect(session.end('/')).rejects.toThrow();
    expect(await session.credential()).toEqual(cookie);
  });

  it('stands back behind an API key', async () => {
    const session = prepared();
    await session.begin(CODE, CONFIG);
    session.useKey('key');
    expect(await session.credential()).toEqual({ kind: 'apiKey', key: 'key' });
    expect(await session.end('/')).toBeUndefined();
    expect(server.endsAt).toBeUndefined();
    expect(await session.credential()).toBeUndefined();
  });
});
