// SPDX-License-Identifier: Apache-2.0
import { parseCidr } from '@agenttier/crds/meta/cidr';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRuntime } from '../../testing/fakeRuntime.ts';
import { ADMIN_KEY, ANN_KEY, Harness, keySecret } from '../../testing/harness.ts';
import { runtimeToken } from '../../testing/tokens.ts';
import { refusedUpgrade, TerminalClient } from '../../testing/terminalClient.ts';
import { readTerminalRequest } from './request.ts';

let runtime: FakeRuntime;
let harness: Harness;
let uid: string;
beforeEach(async () => {
  runtime = await FakeRuntime.start();
  harness = await Harness.start({ runtimePort: runtime.port, corsOrigins: ['https://ui.example'] });
  uid = (await harness.add({ name: 'box' })).metadata.uid ?? '';
});
afterEach(async () => {
  await harness.stop();
  await runtime.close();
});

const url = (path: string): string => `${harness.url}${path}`;

describe('who may open a terminal', () => {
  const SCOPED = 'atk_scoped-0123456789abcdefghijkl';
  const rows: [
    name: string,
    path: string,
    options: { key?: string; headers?: Record<string, string> },
    status: number,
    error: string,
  ][] = [
    ['nobody', '/ws/terminal/box', { key: '' }, 401, 'missing_authorization'],
    ['a bad key', '/ws/terminal/box', { key: 'atk_bad-0123456789abcdefghijk' }, 401, 'invalid_api_key'],
    ['a token in the query', '/ws/terminal/box?token=abc', { key: '' }, 401, 'invalid_token'],
    [
      'a bearer token',
      '/ws/terminal/box',
      { key: '', headers: { Authorization: 'Bearer abc' } },
      401,
      'invalid_token',
    ],
    ['a missing sandbox', '/ws/terminal/none', {}, 404, 'sandbox none not found'],
    ['a foreign sandbox', '/ws/terminal/foreign', {}, 404, 'sandbox foreign not found'],
    ['another namespace', '/ws/terminal/box?namespace=team', {}, 404, 'sandbox box not found'],
    ['a stopped sandbox', '/ws/terminal/stopped', {}, 409, 'sandbox is not running'],
    [
      'a foreign page',
      '/ws/terminal/box',
      { headers: { Origin: 'https://evil.example' } },
      403,
      'origin_not_allowed',
    ],
    [
      'a key without the terminal',
      '/ws/terminal/box',
      { key: SCOPED },
      403,
      'scoped key lacks the "terminal" action group',
    ],
    ['an odd session', '/ws/terminal/box?session=../x', {}, 400, 'session is not valid: it must match'],
    ['an odd size', '/ws/terminal/box?cols=0', {}, 400, 'cols must be a whole number'],
    ['an odd mode', '/ws/terminal/box?mode=god', {}, 400, 'mode must be control or view'],
    ['another path', '/ws/other', {}, 404, 'no such route'],
  ];
  it.each(rows)('not: %s', async (_name, path, options, status, error) => {
    await harness.add({ name: 'foreign', owner: 'bob' });
    await harness.add({ name: 'stopped', phase: 'Stopped' });
    const record = { userId: 'ann', sandboxId: 'box', actionGroups: ['files:read'] };
    harness.router.stores.apiKeys.applyWatch(keySecret(SCOPED, record));
    const answer = await refusedUpgrade(url(path), options);
    expect(answer).toEqual({
      status,
      body: expect.objectContaining({ error: expect.stringContaining(error) }),
    });
    expect(JSON.stringify(answer.body)).not.toContain('token=');
  });

  it('the owner, from a program, from the own page and from a listed page', async () => {
    for (const headers of [{}, { Origin: harness.url }, { Origin: 'https://ui.example' }] as Record<
      string,
      string
    >[]) {
      const client = await TerminalClient.open(url('/ws/terminal/box'), { headers });
      client.socket.close();
    }
  });

  it('everybody in development mode', async () => {
    const dev = await Harness.start({ devAuth: true, runtimePort: runtime.port });
    try {
      await dev.add({ name: 'box', owner: 'bob' });
      (await TerminalClient.open(`${dev.url}/ws/terminal/box`, { key: '' })).socket.close();
    } finally {
      await dev.stop();
    }
  });

  it('one address only so many at a time, whoever they are, and past trusted proxies only', async () => {
    const off = { perSecond: 0, burst: 1 };
    const proxy = parseCidr('127.0.0.0/8');
    const trustedProxies = proxy === undefined ? [] : [proxy];
    const rateLimits = { perAddress: off, perUser: off, failures: off, trustedProxies };
    const small = await Harness.start({ terminalsPerAddress: 1, rateLimits, runtimePort: runtime.port });
    try {
      await small.add({ name: 'box' });
      const at = `${small.url}/ws/terminal/box`;
      const from = (address: string) => ({ key: ADMIN_KEY, headers: { 'X-Forwarded-For': address } });
      const first = await TerminalClient.open(at, { headers: { 'X-Forwarded-For': '2001:db8::1' } });
      const answer = await refusedUpgrade(at, from('2001:db8::2'));
      expect(answer).toMatchObject({
        status: 429,
        body: { message: expect.stringContaining('your address') },
      });
      (await TerminalClient.open(at, from('2001:db8:1::1'))).socket.close();
      first.socket.close();
    } finally {
      await small.stop();
    }
  });

  it('one person only so many at a time', async () => {
    const small = await Harness.start({ terminalsPerPerson: 1, runtimePort: runtime.port });
    try {
      await small.add({ name: 'box' });
      const first = await TerminalClient.open(`${small.url}/ws/terminal/box`);
      expect(await refusedUpgrade(`${small.url}/ws/terminal/box`)).toMatchObject({ status: 429 });
      (await TerminalClient.open(`${small.url}/ws/terminal/box`, { key: ADMIN_KEY })).socket.close();
      first.socket.close();
      await first.end();
      await until(async () => {
        const again = new TerminalClient(`${small.url}/ws/terminal/box`);
        return new Promise((resolve) => {
          again.socket.once('open', () => resolve(true));
          again.socket.once('error', () => resolve(false));
        });
      }, 'the place to be free again');
    } finally {
      await small.stop();
    }
  });

  it('no plain HTTP request', async () => {
    expect(await harness.call('GET', '/ws/terminal/box')).toMatchObject({ status: 426 });
  });
});

const asked = async (path: string, key = ANN_KEY): Promise<URLSearchParams> => {
  const client = await TerminalClient.open(url(path), { key, binary: true });
  await client.frame('ready');
  client.socket.close();
  return new URL(runtime.ptyRequests.at(-1)?.url ?? '', 'http://runtime').searchParams;
};

describe('what the runtime is asked for', () => {
  it('session, place and size as the client gave them', async () => {
    const query = await asked('/ws/terminal/box?session=two&since=4096&cols=100&rows=30');
    expect(Object.fromEntries(query)).toEqual({
      session: 'two',
      mode: 'control',
      since: '4096',
      cols: '100',
      rows: '30',
      who: 'key',
    });
    expect(Object.fromEntries(await asked('/ws/terminal/box?altscreen=keep'))).toEqual({
      session: 'main',
      mode: 'control',
      who: 'key',
      altscreen: 'keep',
    });
    expect(runtime.ptyRequests.at(-1)?.headers.authorization).toBe(`Bearer ${runtimeToken(uid)}`);
    expect(runtime.ptyRequests.at(-1)?.headers['x-api-key']).toBeUndefined();
  });

  it('only a view for somebody who may only watch', async () => {
    const sharing = { users: [{ identity: 'ann', level: 'viewer' as const }] };
    await harness.add({ name: 'shared', owner: 'bob', spec: { createdBy: { sub: 'bob' }, sharing } });
    expect((await asked('/ws/terminal/shared?mode=control')).get('mode')).toBe('view');
  });
});

describe('readTerminalRequest', () => {
  it('reads names with escapes and knows other paths', () => {
    expect(readTerminalRequest('/ws/terminal/a%2Db?namespace=n&token=t')).toMatchObject({
      id: 'a-b',
      namespace: 'n',
      token: 't',
    });
    expect(readTerminalRequest('/ws/terminal/a/b')).toBeUndefined();
    expect(readTerminalRequest('/api/v1/sandboxes')).toBeUndefined();
    expect(() => readTerminalRequest('/ws/terminal/%ff')).toThrow(URIError);
  });
});
