// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from '../../testing/harness.ts';
import { IssuerTab } from '../../testing/issuer/browser.ts';

const MAIN = fileURLToPath(new URL('../../testing/issuer/process.ts', import.meta.url));
const AUDIENCE = 'agenttier';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

let port: number;
let issuer: string;
let provider: ChildProcess;
let harness: Harness;

async function startProvider(): Promise<void> {
  provider = spawn(process.execPath, [MAIN, String(port), AUDIENCE], { stdio: ['ignore', 'pipe', 'ignore'] });
  if (provider.stdout) await once(provider.stdout, 'data');
}

async function stopProvider(): Promise<void> {
  provider.kill('SIGKILL');
  await once(provider, 'exit');
}

async function tokenFor(resource: string): Promise<string> {
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { Authorization: `Basic ${Buffer.from('robot:not-secret').toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

const me = (token: string) =>
  harness.call('GET', '/api/v1/user/me', { key: '', headers: { Authorization: `Bearer ${token}` } });
const untilStatus = (token: string, status: number, what: string): Promise<void> =>
  until(async () => (await me(token)).status === status, what, 20_000);

beforeAll(async () => {
  port = await freePort();
  issuer = `http://127.0.0.1:${port}`;
  const settings = {
    adminGroup: 'admins',
    groupClaim: 'groups',
    scopes: [],
    session: 'page' as const,
    allowHttp: false,
    ca: undefined,
  };
  // The router is there first.
  harness = await Harness.start({ oidc: { issuer, clientId: AUDIENCE, ...settings } });
  await startProvider();
}, 60_000);

afterAll(async () => {
  await harness.stop();
  await stopProvider();
});

describe('a certified provider in a process of its own', () => {
  it('signs people in, and may change its keys', { timeout: 60_000 }, async () => {
    const [rsa, curve] = [await tokenFor('urn:agenttier:rsa'), await tokenFor('urn:agenttier:ec')];
    await untilStatus(rsa, 200, 'the provider to be found');
    expect((await me(rsa)).body).toMatchObject({ sub: 'robot', email: 'robot@example.com', groups: ['dev'] });
    expect((await me(curve)).status).toBe(200);

    await stopProvider();
    // Whoever is signed in goes on while it is away.
    expect((await me(rsa)).status).toBe(200);
    await startProvider();
    const after = await tokenFor('urn:agenttier:rsa');
    await untilStatus(after, 200, 'the new keys to be known');
    expect(await me(rsa)).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
  });

  it('signs a person in for a code and its PKCE verifier, and takes each refresh token once', async () => {
    const tab = new IssuerTab();
    const verifier = 'v'.repeat(43);
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const callback = 'http://127.0.0.1:1234/callback';
    const question = new URLSearchParams({
      response_type: 'code',
      client_id: AUDIENCE,
      redirect_uri: callback,
      scope: 'openid profile email',
      state: 'mine',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    const code = async (): Promise<string> => {
      let { url } = await tab.open(`${issuer}/auth?${question.toString()}`);
      if (url.pathname.startsWith('/login/')) ({ url } = await tab.open(url, { person: 'ann' }));
      expect(`${url.origin}${url.pathname}`).toBe(callback);
      return url.searchParams.get('code') ?? '';
    };
    const token = async (form: Record<string, string>) => {
      const body = new URLSearchParams({ client_id: AUDIENCE, redirect_uri: callback, ...form });
      const answer = await fetch(`${issuer}/token`, { method: 'POST', body });
      return (await answer.json()) as { id_token?: string; refresh_token?: string; error?: string };
    };
    const redeem = async (code_verifier: string) =>
      token({ grant_type: 'authorization_code', code: await code(), code_verifier });
    expect(await redeem('w'.repeat(43))).toMatchObject({ error: 'invalid_grant' });
    const first = await redeem(verifier);
    await untilStatus(first.id_token ?? '', 200, 'the keys of now to be known');
    expect((await me(first.id_token ?? '')).body).toMatchObject({
      sub: 'ann',
      email: 'ann@example.com',
      groups: ['dev'],
      isAdmin: false,
    });
    const renew = ({ refresh_token = '' }) => token({ grant_type: 'refresh_token', refresh_token });
    const second = await renew(first);
    expect((await me(second.id_token ?? '')).status).toBe(200);
    expect(await renew(first)).toMatchObject({ error: 'invalid_grant' });
  });
});
