// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { networkError } from '../kube/errors.ts';
import {
  MUTATING_WEBHOOK_CONFIGURATIONS,
  SECRETS,
  VALIDATING_WEBHOOK_CONFIGURATIONS,
} from '../kube/resource.ts';
import type { KubeObject } from '../kube/resource.ts';
import { silentLogger } from '../telemetry/log.ts';
import { createRegistry } from '../telemetry/metrics.ts';
import { FakeClock } from '../testing/fakeClock.ts';
import { MemoryApi } from '../testing/memoryApi.ts';
import { createAuthority } from './authority.ts';
import type { Authority } from './authority.ts';
import { certificateMetrics } from './expiry.ts';
import { parseBundle, signed } from './pem.ts';

const DAY = 86_400_000;
let api: MemoryApi;
let clock: FakeClock;

const webhook = (name: string) => ({
  name,
  clientConfig: { service: { name: 'webhook' } },
  sideEffects: 'None',
});

beforeEach(async () => {
  api = new MemoryApi();
  clock = new FakeClock();
  const webhooks = [webhook('sandboxes.example.org'), webhook('templates.example.org')];
  for (const resource of [MUTATING_WEBHOOK_CONFIGURATIONS, VALIDATING_WEBHOOK_CONFIGURATIONS]) {
    await api.create(resource, undefined, { metadata: { name: 'hooks' }, webhooks } as KubeObject);
  }
});

const replica = (): Authority =>
  createAuthority({
    client: api,
    namespace: 'ns',
    secretName: 'webhook-tls',
    dnsNames: ['webhook.ns.svc', 'webhook'],
    ipAddresses: ['127.0.0.1'],
    webhooks: { mutating: ['hooks'], validating: ['hooks', 'not-there'] },
    fieldManager: 'test',
    log: silentLogger,
    clock,
  });

interface Hooks extends KubeObject {
  readonly webhooks: { readonly clientConfig: { readonly caBundle?: string; readonly service: unknown } }[];
}

/** The bundle that API servers hold against us; the same in every webhook of every configuration. */
async function trusted(): Promise<string> {
  const bundles = new Set<string>();
  for (const resource of [MUTATING_WEBHOOK_CONFIGURATIONS, VALIDATING_WEBHOOK_CONFIGURATIONS]) {
    const { webhooks } = await api.get<Hooks>(resource, { name: 'hooks' });
    for (const { clientConfig } of webhooks) {
      expect(clientConfig.service).toEqual({ name: 'webhook' });
      bundles.add(Buffer.from(clientConfig.caBundle ?? '', 'base64').toString());
    }
  }
  expect(bundles.size).toBe(1);
  return [...bundles][0] ?? '';
}

const days = (certificate: X509Certificate) =>
  Math.round((Date.parse(certificate.validTo) - clock.now()) / DAY);

const served = (authority: Authority): X509Certificate =>
  new X509Certificate(authority.current()?.cert ?? '');

/** A handshake with this replica would work now. */
async function works(authority: Authority): Promise<boolean> {
  const [leaf] = parseBundle(authority.current()?.cert ?? '');
  if (!leaf || leaf.until <= clock.now() || leaf.from > clock.now()) return false;
  return parseBundle(await trusted()).some((ca) => ca.until > clock.now() && signed(ca, leaf));
}

describe('authority', () => {
  it('makes a CA and a leaf, and has them trusted', async () => {
    const authority = replica();
    await authority.ensure();
    const leaf = served(authority);
    const ca = new X509Certificate(await trusted());
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect([ca.ca, leaf.ca]).toEqual([true, false]);
    expect(leaf.subjectAltName).toBe('DNS:webhook.ns.svc, DNS:webhook, IP Address:127.0.0.1');
    expect(leaf.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    expect([days(ca), days(leaf)]).toEqual([365, 90]);
  });

  it('is made once by many replicas that start together', async () => {
    const replicas = [replica(), replica(), replica(), replica()];
    await Promise.all(replicas.map((authority) => authority.ensure()));
    const prints = replicas.map((authority) => served(authority).fingerprint256);
    expect(new Set(prints).size).toBe(1);
    expect(parseBundle(await trusted())).toHaveLength(1);
    expect(api.calls.filter(({ verb, resource }) => verb === 'update' && resource === SECRETS)).toHaveLength(
      0,
    );
    for (const authority of replicas) expect(await works(authority)).toBe(true);
  });

  it('changes nothing when all is well', async () => {
    await replica().ensure();
    api.calls.length = 0;
    await replica().ensure();
    expect(new Set(api.calls.map(({ verb }) => verb))).toEqual(new Set(['get']));
  });

  it('renews the leaf at two thirds, and every replica takes it over from the Secret', async () => {
    const [a, b] = [replica(), replica()];
    await a.ensure();
    await b.ensure();
    const first = served(a).fingerprint256;
    await clock.advance(59 * DAY);
    await a.ensure();
    expect(served(a).fingerprint256).toBe(first);
    await clock.advance(2 * DAY);
    const changes: string[] = [];
    b.onChange(({ cert }) => changes.push(new X509Certificate(cert).fingerprint256));
    await a.ensure();
    await b.ensure();
    const second = served(a).fingerprint256;
    expect(second).not.toBe(first);
    expect(changes).toEqual([second]);
    expect(parseBundle(await trusted())).toHaveLength(1);
  });

  it('keeps every handshake working over three years, however late replicas look', async () => {
    // Replica a looks often, b rarely: for its polls b goes on with what it has.
    const [a, b] = [replica(), replica()];
    await a.ensure();
    await b.ensure();
    const cas = new Set<string>();
    let broken = 0;
    let largest = 0;
    for (let hour = 0; hour < 3 * 365 * 24; hour += 48) {
      await clock.advance(48 * 3_600_000);
      await a.ensure();
      if (hour % (14 * 24) === 0) await b.ensure();
      const bundle = parseBundle(await trusted());
      largest = Math.max(largest, bundle.length);
      for (const { x509 } of bundle) cas.add(x509.fingerprint256);
      if (!(await works(a)) || !(await works(b))) broken++;
    }
    expect(broken).toBe(0);
    expect(cas.size).toBeGreaterThanOrEqual(4);
    expect(largest).toBe(2);
  });

  it('publishes a new CA before it signs what is served, and drops the old one after its last leaf', async () => {
    const authority = replica();
    await authority.ensure();
    const [old] = parseBundle(await trusted());
    for (let day = 0; day < 244 && parseBundle(await trusted()).length === 1; day++) {
      await clock.advance(DAY);
      await authority.ensure();
    }
    const during = parseBundle(await trusted());
    expect(during).toHaveLength(2);
    expect(during[1]?.pem).toBe(old?.pem);
    const leaf = () => parseBundle(authority.current()?.cert ?? '')[0];
    const signer = () => during.findIndex((ca) => signed(ca, leaf() ?? ca));
    expect(signer()).toBe(1);
    await clock.advance(299_000);
    await authority.ensure();
    expect(signer()).toBe(1);
    await clock.advance(2000);
    await authority.ensure();
    expect(signer()).toBe(0);
    await clock.advance(89 * DAY);
    await authority.ensure();
    expect(parseBundle(await trusted())).toHaveLength(2);
    await clock.advance(DAY);
    await authority.ensure();
    expect(parseBundle(await trusted()).map(({ pem }) => pem)).toEqual([during[0]?.pem]);
  });

  it('repairs a bundle that somebody removed, and one of a configuration made later', async () => {
    const authority = replica();
    await authority.ensure();
    const before = await trusted();
    const body = { webhooks: [{ name: 'sandboxes.example.org', clientConfig: { caBundle: null } }] };
    await api.patch(MUTATING_WEBHOOK_CONFIGURATIONS, { name: 'hooks' }, { type: 'merge', body });
    const late = {
      metadata: { name: 'not-there' },
      webhooks: [{ name: 'x', clientConfig: {} }],
    } as KubeObject;
    await api.create(VALIDATING_WEBHOOK_CONFIGURATIONS, undefined, late);
    await authority.ensure();
    expect(await trusted()).toBe(before);
    const { webhooks } = await api.get<Hooks>(VALIDATING_WEBHOOK_CONFIGURATIONS, { name: 'not-there' });
    expect(webhooks[0]?.clientConfig.caBundle).toBe(Buffer.from(before).toString('base64'));
  });

  it('does not undo the bundle of a replica that knows better', async () => {
    const authority = replica();
    await authority.ensure();
    const configuration = () => api.get<Hooks>(MUTATING_WEBHOOK_CONFIGURATIONS, { name: 'hooks' });
    let raced = false;
    api.before = async ({ verb }) => {
      if (verb !== 'apply' || raced) return;
      raced = true;
      // Between our read and our write another replica writes.
      const other = await configuration();
      await api.update(MUTATING_WEBHOOK_CONFIGURATIONS, {
        ...other,
        metadata: { ...other.metadata, labels: { x: 'y' } },
      });
    };
    const body = { webhooks: [{ name: 'sandboxes.example.org', clientConfig: { caBundle: 'old' } }] };
    await api.patch(MUTATING_WEBHOOK_CONFIGURATIONS, { name: 'hooks' }, { type: 'merge', body });
    await authority.ensure();
    expect(raced).toBe(true);
    await trusted();
    expect((await configuration()).metadata.labels).toEqual({ x: 'y' });
  });

  it.each([
    ['an unreadable CA', { 'ca.crt': 'eA==' }],
    ['a foreign CA key', { 'ca.key': 'eA==' }],
    ['no leaf', { 'tls.crt': '' }],
    ['a foreign leaf key', { 'tls.key': 'eA==' }],
  ])('heals a Secret with %s', async (_name, data) => {
    const authority = replica();
    await authority.ensure();
    await api.patch(SECRETS, { namespace: 'ns', name: 'webhook-tls' }, { type: 'merge', body: { data } });
    await authority.ensure();
    expect(await works(authority)).toBe(true);
  });

  it('keeps replicas working when the Secret is deleted', async () => {
    const [a, b] = [replica(), replica()];
    await a.ensure();
    await b.ensure();
    await api.delete(SECRETS, { namespace: 'ns', name: 'webhook-tls' });
    await a.ensure();
    expect([await works(a), await works(b)]).toEqual([true, true]);
  });

  it('makes a new leaf when the names change', async () => {
    await replica().ensure();
    const renamed = createAuthority({
      client: api,
      namespace: 'ns',
      secretName: 'webhook-tls',
      dnsNames: ['other.ns.svc'],
      webhooks: {},
      fieldManager: 'test',
      log: silentLogger,
      clock,
    });
    await renamed.ensure();
    expect(served(renamed).checkHost('other.ns.svc')).toBe('other.ns.svc');
  });

  it('goes on after failures, until its signal aborts', async () => {
    const stop = new AbortController();
    const authority = replica();
    api.before = () => {
      throw networkError('away');
    };
    const running = authority.run(stop.signal);
    await clock.advance(30_000);
    expect(authority.current()).toBeUndefined();
    api.before = undefined;
    // Issuing takes real time, which the fake clock does not wait for.
    await expect
      .poll(async () => (await clock.advance(10_000), authority.current()), { timeout: 5000 })
      .toBeDefined();
    stop.abort();
    await running;
  });

  it('tells how long the certificates last', async () => {
    const registry = createRegistry('test', { processMetrics: false });
    const authority = replica();
    certificateMetrics(registry, authority, () => clock.now());
    expect(await registry.metrics()).not.toMatch(/expiry_seconds\{/);
    await authority.ensure();
    await clock.advance(DAY);
    expect(await registry.metrics()).toContain(
      `agenttier_certificate_expiry_seconds{certificate="leaf",component="test"} ${(89 * DAY) / 1000}`,
    );
  });
});
