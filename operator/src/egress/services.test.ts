// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { EndpointSlice, Service } from '../core.ts';
import { destinationOf, leanService } from './services.ts';
import type { Destination, ServiceRef } from './services.ts';

const DB: Service = {
  metadata: { name: 'db', namespace: 'team' },
  spec: {
    selector: { app: 'db' },
    ports: [
      { name: 'sql', port: 5432, targetPort: 15432 },
      { name: 'metrics', port: 80, targetPort: 'http', protocol: 'TCP' },
      { name: 'log', port: 514, protocol: 'UDP' },
    ],
  },
};
const BY_HAND: Service = { metadata: DB.metadata, spec: { ports: [{ name: 'sql', port: 5432 }] } };

const slice = (addresses: string[]): EndpointSlice => ({
  metadata: { name: 'db-1', namespace: 'team' },
  addressType: 'IPv4',
  endpoints: addresses.map((address) => ({ addresses: [address] })),
  ports: [
    { name: 'sql', port: 6543 },
    { name: 'other', port: 1 },
  ],
});

interface Scene {
  readonly service?: Service;
  readonly addresses?: string[];
  readonly publicAllowed?: boolean;
  readonly home?: string;
}

function destination(ref: ServiceRef, scene: Scene = {}): Destination {
  const { service = DB, addresses = [], publicAllowed = true, home = 'team' } = scene;
  const found = (namespace: string, name: string): boolean => namespace === 'team' && name === 'db';
  return destinationOf(ref, home, {
    service: (namespace, name) => (found(namespace, name) ? service : undefined),
    slices: () => [slice(addresses)],
    publicAllowed,
  });
}

describe('a Service with a selector', () => {
  const peers = [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'team' } },
      podSelector: { matchLabels: { app: 'db' } },
    },
  ];

  it('is its pods, on the ports that they listen on', () => {
    const ports = [
      { protocol: 'TCP', port: 15432 },
      { protocol: 'TCP', port: 'http' },
      { protocol: 'UDP', port: 514 },
    ];
    expect(destination({ name: 'db' })).toEqual({ ok: true, endpoints: [{ peers, ports }] });
  });

  it('is limited to one of its ports', () => {
    const endpoints = [{ peers, ports: [{ protocol: 'TCP', port: 15432 }] }];
    expect(destination({ name: 'db', port: 5432 })).toEqual({ ok: true, endpoints });
  });
});

describe('a Service without a selector', () => {
  it('is the addresses that were written for it, without those that nothing may open', () => {
    const addresses = ['10.9.0.1', '169.254.169.254', '127.0.0.1', '203.0.113.9', '10.9.0.1'];
    expect(destination({ name: 'db' }, { service: BY_HAND, addresses })).toEqual({
      ok: true,
      endpoints: [
        {
          peers: [{ ipBlock: { cidr: '10.9.0.1/32' } }, { ipBlock: { cidr: '203.0.113.9/32' } }],
          ports: [{ protocol: 'TCP', port: 6543 }],
        },
      ],
    });
  });

  it('is no way around a policy that closes the internet', () => {
    const scene = { service: BY_HAND, addresses: ['203.0.113.9'], publicAllowed: false };
    expect(destination({ name: 'db' }, scene)).toMatchObject({ ok: false });
  });
});

describe('a reference that opens nothing says why', () => {
  const shared = (value: string): Service => ({
    ...DB,
    metadata: { ...DB.metadata, annotations: { 'agenttier.io/allow-sandboxes-from': value } },
  });
  const there = { name: 'db', namespace: 'team' };

  it.each<[string, ServiceRef, Scene, RegExp]>([
    ['no such Service', { name: 'cache' }, {}, /team\/cache does not exist$/],
    ['no such port', { name: 'db', port: 1 }, {}, /no port 1/],
    ['an alias', { name: 'db' }, { service: { ...DB, spec: { type: 'ExternalName' } } }, /alias/],
    ['no address', { name: 'db' }, { service: BY_HAND }, /no address/],
    ['of another namespace, not shared', there, { home: 'rivals' }, /lacks the annotation .* rivals/],
    ['shared with others', there, { home: 'rivals', service: shared('friends') }, /lacks the annotation/],
  ])('%s', (_name, ref, scene, message) => {
    expect(destination(ref, scene)).toEqual({ ok: false, problem: expect.stringMatching(message) });
  });

  it.each(['rivals', 'friends, rivals', '*'])('shared with %s', (value) => {
    expect(destination(there, { home: 'rivals', service: shared(value) }).ok).toBe(true);
  });

  it('an absent Service of another namespace reads like one that is not shared', () => {
    const absent = destination({ name: 'nothing', namespace: 'team' }, { home: 'rivals' });
    const closed = destination(there, { home: 'rivals' });
    const text = (one: Destination): string => (one.ok ? '' : one.problem.replace('nothing', 'db'));
    expect(text(absent)).toBe(text(closed));
  });
});

it('keeps of a Service only what rules are made from', () => {
  const annotations = { 'agenttier.io/allow-sandboxes-from': '*', note: 'long' };
  const kept = leanService({ ...DB, metadata: { ...DB.metadata, annotations, labels: { a: 'b' } } });
  expect(JSON.stringify(kept)).not.toMatch(/note|labels/);
  expect(kept.metadata.annotations).toEqual({ 'agenttier.io/allow-sandboxes-from': '*' });
});
