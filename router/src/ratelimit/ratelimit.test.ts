// SPDX-License-Identifier: Apache-2.0
import { parseCidr } from '@agenttier/crds/meta/cidr';
import { afterEach, describe, expect, it } from 'vitest';
import type { HttpError } from '../api/errors.ts';
import { readConfig } from '../config.ts';
import { ADMIN_KEY, ANN_KEY, BOB_KEY, Harness } from '../testing/harness.ts';
import { refusedUpgrade } from '../testing/terminalClient.ts';
import { take } from './bucket.ts';
import { Buckets } from './buckets.ts';
import { bucketKey, clientAddress } from './clientAddress.ts';
import { Gate } from './gate.ts';
import type { RateLimits } from './settings.ts';

const OFF = { perSecond: 0, burst: 1 };
const limitsOf = (more: Partial<RateLimits>): RateLimits => ({
  perAddress: OFF,
  perUser: OFF,
  failures: OFF,
  trustedProxies: [],
  ...more,
});

describe('a bucket', () => {
  it('gives its burst, then what flows in, and says how long to wait', () => {
    const limits = { perSecond: 2, burst: 3 };
    let turn = take(undefined, 0, limits, 3);
    expect(turn.allowed).toBe(true);
    turn = take(turn.state, 0, limits);
    expect(turn).toMatchObject({ allowed: false, waitMs: 500 });
    expect(take(turn.state, 499, limits).allowed).toBe(false);
    expect(take(turn.state, 500, limits).allowed).toBe(true);
    expect(take(turn.state, 3_600_000, limits).state.tokens).toBe(2);
  });

  it('is not filled by a clock that jumps back', () => {
    const limits = { perSecond: 1, burst: 1 };
    const { state } = take(undefined, 10_000, limits);
    expect(take(state, 0, limits).allowed).toBe(false);
  });

  it('is kept for so many keys, whoever asked longest ago is forgotten', () => {
    const buckets = new Buckets({ perSecond: 1, burst: 1 }, 100);
    for (let i = 0; i < 1000; i++) {
      buckets.take(`key-${i}`, 0);
      buckets.take('busy', 0);
    }
    expect(buckets.size).toBe(100);
    expect(buckets.wait('busy', 0)).toBeGreaterThan(0);
    expect(buckets.wait('key-5', 0)).toBe(0);
  });
});

describe('the address of a client', () => {
  const proxies = ['10.0.0.0/8', 'fd00::/8']
    .map((text) => parseCidr(text))
    .filter((range) => range !== undefined);
  const rows: [name: string, peer: string, forwarded: string, address: string][] = [
    ['without a proxy', '192.0.2.1', '', '192.0.2.1'],
    ['that says to be another', '192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['behind a proxy', '10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['behind a proxy on a socket for both families', '::ffff:10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['behind two', '10.0.0.1', '192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['that forged what stands before', '10.0.0.1', '127.0.0.1, 192.0.2.1', '192.0.2.1'],
    ['that forged a trusted one', '10.0.0.1', '10.9.9.9, 192.0.2.1', '192.0.2.1'],
    ['that is a trusted one itself', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['with a port', '10.0.0.1', '192.0.2.1:4711', '192.0.2.1'],
    ['of IPv6 with a port', 'fd00::1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['behind a proxy that writes nonsense', '10.0.0.1', '192.0.2.1, unknown', '10.0.0.1'],
    ['behind a proxy that writes nothing', '10.0.0.1', ' , ', '10.0.0.1'],
  ];
  it.each(rows)('%s', (_name, peer, forwarded, address) => {
    expect(clientAddress(peer, forwarded, proxies)).toBe(address);
  });

  it('counts as its network in IPv6', () => {
    expect(bucketKey('2001:db8::1')).toBe(bucketKey('2001:db8::ffff'));
    expect(bucketKey('2001:db8::1')).not.toBe(bucketKey('2001:db8:0:1::1'));
    expect(bucketKey('192.0.2.1')).toBe('192.0.2.1');
  });
});

describe('the gate', () => {
  const thrown = (act: () => void): HttpError | undefined => {
    try {
      act();
      return undefined;
    } catch (error) {
      return error as HttpError;
    }
  };

  it('charges a batch at once, and says of one that can never pass how many may', () => {
    const gate = new Gate({
      limits: limitsOf({ perUser: { perSecond: 1, burst: 10 } }),
      observe: () => {},
      now: () => 0,
    });
    expect(thrown(() => gate.person('ann', 11))).toMatchObject({
      status: 413,
      body: { error: 'batch_too_large', message: expect.stringContaining('10') },
    });
    expect(thrown(() => gate.person('ann', 8))).toBeUndefined();
    expect(thrown(() => gate.person('ann', 8))).toMatchObject({
      status: 429,
      body: { error: 'rate_limited', retryAfter: 6 },
      headers: { 'Retry-After': '6' },
    });
    expect(thrown(() => gate.person('bob', 8))).toBeUndefined();
  });

  it('does not listen to an address with too many bad credentials, except to good ones that it knows', async () => {
    let now = 0;
    const seen: string[] = [];
    const gate = new Gate({
      limits: limitsOf({ failures: { perSecond: 1, burst: 2 } }),
      observe: (limit) => seen.push(limit),
      now: () => now,
    });
    const bad = () =>
      gate.signIn('192.0.2.1', 'bad', () => Promise.reject(Object.assign(new Error(), { status: 401 })));
    const good = (address: string, credential: string) =>
      gate.signIn(address, credential, async () => credential);
    expect(await good('192.0.2.1', 'known')).toBe('known');
    for (let i = 0; i < 2; i++) await expect(bad()).rejects.toMatchObject({ status: 401 });
    await expect(bad()).rejects.toMatchObject({ status: 429, body: { retryAfter: 1 } });
    await expect(good('192.0.2.1', 'unknown')).rejects.toMatchObject({ status: 429 });
    expect(await good('192.0.2.1', 'known')).toBe('known');
    expect(await good('192.0.2.2', 'unknown')).toBe('unknown');
    expect(seen).toEqual(['sign_in', 'sign_in']);
    now = 1000;
    expect(await good('192.0.2.1', 'new')).toBe('new');
  });

  it('does not count what the caller cannot help', async () => {
    const gate = new Gate({
      limits: limitsOf({ failures: { perSecond: 1, burst: 1 } }),
      observe: () => {},
      now: () => 0,
    });
    const away = () =>
      gate.signIn('a', 'token', () => Promise.reject(Object.assign(new Error(), { status: 503 })));
    for (let i = 0; i < 3; i++) await expect(away()).rejects.toMatchObject({ status: 503 });
  });
});

describe('a router with limits', () => {
  let harness: Harness;
  afterEach(() => harness.stop());
  const statuses = async (count: number, key: string, headers = {}): Promise<number[]> => {
    const found: number[] = [];
    for (let i = 0; i < count; i++) {
      found.push((await harness.call('GET', '/api/v1/user/me', { key, headers })).status);
    }
    return found;
  };

  it('limits each person by itself, with a time to come back', async () => {
    harness = await Harness.start({ rateLimits: limitsOf({ perUser: { perSecond: 0.001, burst: 3 } }) });
    expect(await statuses(4, ANN_KEY)).toEqual([200, 200, 200, 429]);
    expect(await statuses(1, BOB_KEY)).toEqual([200]);
    const { headers, body } = await harness.call('GET', '/api/v1/user/me');
    expect(headers.get('retry-after')).toMatch(/^\d+$/);
    expect(body).toMatchObject({ error: 'rate_limited', retryAfter: Number(headers.get('retry-after')) });
  });

  it('limits each address, as trusted proxies tell it, before anybody is identified', async () => {
    const loopback = parseCidr('127.0.0.0/8');
    harness = await Harness.start({
      rateLimits: limitsOf({
        perAddress: { perSecond: 0.001, burst: 2 },
        trustedProxies: loopback ? [loopback] : [],
      }),
    });
    const from = (address: string) => ({ 'X-Forwarded-For': address });
    expect(await statuses(3, ADMIN_KEY, from('192.0.2.1'))).toEqual([200, 200, 429]);
    expect(await statuses(2, '', from('192.0.2.2'))).toEqual([401, 401]);
    expect(await statuses(1, ADMIN_KEY, from('192.0.2.2'))).toEqual([429]);
    expect(await statuses(1, ADMIN_KEY, from('9.9.9.9, 192.0.2.1'))).toEqual([429]);
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      expect((await harness.call('GET', path, { headers: from('192.0.2.1') })).status).toBe(200);
    }
    expect((await harness.call('GET', '/metrics')).body).toMatch(
      /agenttier_rate_limited_total\{[^}]*limit="address"[^}]*\} 3/,
    );
  });

  it('counts a batch as its members', async () => {
    harness = await Harness.start({ rateLimits: limitsOf({ perUser: { perSecond: 0.001, burst: 5 } }) });
    const stop = (count: number) =>
      harness.call('POST', '/api/v1/sandboxes/bulk-action', {
        body: { action: 'stop', ids: Array.from({ length: count }, (_, n) => `box-${n}`) },
      });
    expect(await stop(7)).toMatchObject({ status: 413, body: { error: 'batch_too_large' } });
    expect((await stop(4)).status).toBe(200);
    expect((await stop(1)).status).toBe(429);
  });

  it('counts bad credentials of terminals, too', async () => {
    harness = await Harness.start({ rateLimits: limitsOf({ failures: { perSecond: 0.001, burst: 2 } }) });
    const open = async (key: string): Promise<number> =>
      (await refusedUpgrade(`${harness.url}/ws/terminal/none`, { key })).status;
    const bad = 'atk_bad-0123456789abcdefghijklmnop';
    expect([await open(bad), await open(bad), await open(bad)]).toEqual([401, 401, 429]);
    expect((await harness.call('GET', '/api/v1/user/me', { key: bad })).status).toBe(429);
  });

  it('has no limits by default but that of bad credentials', () => {
    const result = readConfig({ TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8' });
    expect(result.ok && result.config.rateLimits).toMatchObject({
      perAddress: { perSecond: 0, burst: 30 },
      perUser: { perSecond: 0, burst: 100 },
      failures: { perSecond: 5, burst: 100 },
      trustedProxies: [{ prefix: 8 }, { prefix: 8 }],
    });
    expect(readConfig({ TRUSTED_PROXIES: 'everybody' }).ok).toBe(false);
    expect(readConfig({ RATE_LIMIT_PER_USER_BURST: '0' }).ok).toBe(false);
    expect(readConfig({ RATE_LIMIT_PER_USER: '-1' }).ok).toBe(false);
  });
});
