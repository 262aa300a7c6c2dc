// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SandboxRows } from '../api/sandboxes/rows.ts';
import type { Principal } from '../auth/principal.ts';
import { createStores } from '../cluster/caches.ts';
import type { Stores } from '../cluster/caches.ts';
import type { OutEvent } from '../sse/eventStream.ts';
import { keySecret } from '../testing/harness.ts';
import { ChangeFeed } from './feed.ts';

let stores: Stores;
let feed: ChangeFeed;
let stop: AbortController;
let version = 0;

beforeEach(() => {
  stores = createStores();
  feed = new ChangeFeed({ stores, rows: new SandboxRows(), remembered: 4 });
  stop = new AbortController();
});
afterEach(() => stop.abort());

const person = (sub: string, more: Partial<Principal> = {}): Principal => ({
  sub,
  email: '',
  name: sub,
  groups: [],
  isAdmin: false,
  ...more,
});
const ann = person('ann');
const bob = person('bob', { email: 'bob@example.com' });
const root = person('root', { isAdmin: true });

function put(
  name: string,
  change: Partial<NonNullable<Sandbox['spec']>> = {},
  more: Partial<Sandbox> = {},
): void {
  stores.sandboxes.applyWatch({
    metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: String(++version) },
    spec: { templateRef: { name: 'shell' }, createdBy: { sub: 'ann' }, ...change },
    ...more,
  });
}

function remove(name: string): void {
  const object = stores.sandboxes.get('default', name);
  if (object) stores.sandboxes.deleteWatch(object);
}

interface Client {
  readonly seen: OutEvent[];
  /** Until so many events have come. */
  until(count: number): Promise<void>;
}

function follow(
  principal: Principal,
  more: { lastId?: string | undefined; namespace?: string } = {},
): Client {
  const seen: OutEvent[] = [];
  const waiting = new Set<() => void>();
  const events = feed.follow({ principal, signal: stop.signal, ...more });
  void (async () => {
    for await (const event of events) {
      seen.push(event);
      for (const wake of waiting) wake();
    }
    seen.push({ event: 'end', data: {} });
    for (const wake of waiting) wake();
  })();
  const until = async (count: number): Promise<void> => {
    while (seen.length < count) await new Promise<void>((resolve) => waiting.add(resolve));
  };
  return { seen, until };
}

const text = ({ event, data }: OutEvent): string => {
  const { type = '', object } = data as { type?: string; object?: { name: string; status?: string } };
  return [event, type, object?.name, object?.status].filter(Boolean).join(' ');
};

describe('who is told what', () => {
  it('the owner and administrators, and nobody else', async () => {
    const clients = [follow(ann), follow(bob), follow(root)];
    await Promise.all(clients.map((client) => client.until(1)));
    put('box');
    put('box', {}, { status: { phase: 'Running' } });
    remove('box');
    put('his', { createdBy: { sub: 'bob' } });
    await Promise.all([clients[0]?.until(4), clients[1]?.until(2), clients[2]?.until(5)]);
    expect(clients.map(({ seen }) => seen.map(text))).toEqual([
      ['reset', 'sandbox added box Creating', 'sandbox modified box Running', 'sandbox deleted box'],
      ['reset', 'sandbox added his Creating'],
      [
        'reset',
        'sandbox added box Creating',
        'sandbox modified box Running',
        'sandbox deleted box',
        'sandbox added his Creating',
      ],
    ]);
  });

  it('whoever it is shared with, until it is not any more', async () => {
    const client = follow(bob);
    await client.until(1);
    put('box');
    put('box', { sharing: { users: [{ identity: 'bob@example.com', level: 'viewer' }] } });
    put('box', { sharing: { users: [] } });
    put('box', {}, { status: { phase: 'Running' } });
    put('marker', { createdBy: { sub: 'bob' } });
    await client.until(4);
    expect(client.seen.map(text)).toEqual([
      'reset',
      'sandbox added box Creating',
      'sandbox deleted box',
      'sandbox added marker Creating',
    ]);
    expect(client.seen[2]?.data).toEqual({ type: 'deleted', object: { namespace: 'default', name: 'box' } });
  });

  it('everybody of the text of a policy, within their namespaces, and nobody of its ledger', async () => {
    const policy = (allowed: string[], used: number, namespace = 'default') => ({
      metadata: { name: 'default', namespace, resourceVersion: String(++version), generation: 1 },
      spec: { approvedRegistries: allowed },
      status: { used: { sandboxes: used } },
    });
    const clients = [follow(ann), follow({ ...bob, namespaces: ['other'] })];
    await Promise.all(clients.map((client) => client.until(1)));
    stores.policies.applyWatch(policy(['a.example'], 1));
    for (let used = 2; used < 50; used++) stores.policies.applyWatch(policy(['a.example'], used));
    stores.policies.applyWatch(policy(['b.example'], 50));
    const { namespace: _, ...metadata } = policy([], 0).metadata;
    stores.clusterPolicies.applyWatch({ metadata, spec: { requireDigest: true } });
    await clients[0]?.until(4);
    await clients[1]?.until(2);
    const cluster = { type: 'added', object: { scope: 'cluster', policy: { requireDigest: true } } };
    const told = (registry: string) => ({
      namespace: 'default',
      policy: { approvedRegistries: [registry] },
    });
    expect(clients[0]?.seen.slice(1).map(({ data }) => data)).toEqual([
      { type: 'added', object: told('a.example') },
      { type: 'modified', object: told('b.example') },
      cluster,
    ]);
    expect(clients[1]?.seen.slice(1).map(({ event, data }) => ({ event, data }))).toEqual([
      { event: 'policy', data: cluster },
    ]);
  });

  it('people of their own webhooks and keys, of which no secret is told', async () => {
    const clients = [follow(ann), follow(bob), follow(root)];
    await Promise.all(clients.map((client) => client.until(1)));
    const hook = {
      metadata: { name: 'hook', namespace: 'default', resourceVersion: '1' },
      spec: { url: 'https://hooks.example', secretRef: { name: 'signing' }, createdBy: { sub: 'ann' } },
    };
    stores.subscriptions.applyWatch(hook);
    const secret = keySecret('a-key-of-ann-that-is-long-enough', { userId: 'ann' });
    stores.apiKeys.applyWatch(secret);
    stores.apiKeys.deleteWatch(secret);
    put('marker', { createdBy: { sub: 'bob' } });
    await Promise.all([clients[0]?.until(4), clients[1]?.until(2), clients[2]?.until(5)]);
    const types = clients.map(({ seen }) =>
      seen.map(({ event, data }) => `${event} ${(data as { type?: string }).type ?? ''}`.trim()),
    );
    const own = ['webhook added', 'key added', 'key deleted'];
    expect(types).toEqual([
      ['reset', ...own],
      ['reset', 'sandbox added'],
      ['reset', ...own, 'sandbox added'],
    ]);
    expect(JSON.stringify(clients[0]?.seen)).not.toMatch(/signing|long-enough|keyHash/);
  });

  it('keys within their namespaces, and clients about the one that they ask for', async () => {
    const key = { id: 'k', actionGroups: [], allowedNamespaces: ['other'] };
    const clients = [follow({ ...ann, key }), follow(ann, { namespace: 'other' })];
    await Promise.all(clients.map((client) => client.until(1)));
    put('box');
    stores.templates.applyWatch({
      metadata: { name: 'mine', namespace: 'other', resourceVersion: '1' },
      spec: {},
    });
    stores.clusterTemplates.applyWatch({ metadata: { name: 'all', resourceVersion: '1' }, spec: {} });
    await Promise.all(clients.map((client) => client.until(3)));
    for (const { seen } of clients) {
      expect(seen.map(text)).toEqual(['reset', 'template added mine', 'template added all']);
    }
  });

  it('nothing where nothing that is shown has changed', async () => {
    const client = follow(ann);
    await client.until(1);
    put('box');
    put('box', { timeout: '1h' });
    put('other');
    await client.until(3);
    expect(client.seen.map(text).slice(1)).toEqual([
      'sandbox added box Creating',
      'sandbox added other Creating',
    ]);
  });
});

describe('going on', () => {
  it('from where a connection broke, without a gap', async () => {
    const first = follow(ann);
    await first.until(1);
    put('a');
    await first.until(2);
    stop.abort();
    stop = new AbortController();
    put('b');
    put('his', { createdBy: { sub: 'bob' } });
    put('c');
    const second = follow(ann, { lastId: String(first.seen[1]?.id) });
    await second.until(2);
    put('d');
    await second.until(3);
    expect(second.seen.map(text)).toEqual([
      'sandbox added b Creating',
      'sandbox added c Creating',
      'sandbox added d Creating',
    ]);
  });

  it('anew after too long, at another replica, and from nonsense', async () => {
    const first = follow(ann);
    await first.until(1);
    const lastId = String(first.seen[0]?.id);
    for (const name of ['a', 'b', 'c', 'd', 'e']) put(name);
    for (const id of [lastId, lastId.replace(/^./, 'x'), 'nonsense', '-', `${lastId}9999`, undefined]) {
      const client = follow(ann, { lastId: id });
      await client.until(1);
      expect(client.seen.map(text), String(id)).toEqual(['reset']);
    }
  });

  it('anew for a client that does not keep up', async () => {
    const events = feed.follow({ principal: ann, signal: stop.signal });
    expect((await events.next()).value).toMatchObject({ event: 'reset' });
    for (let i = 0; i < 1001; i++) put(`s${i}`);
    expect((await events.next()).value).toMatchObject({ event: 'reset' });
    put('next');
    expect(text((await events.next()).value as OutEvent)).toBe('sandbox added next Creating');
  });
});

describe('ends', () => {
  const record = { userId: 'ann' };
  const secret = keySecret('atk_x-0123456789abcdefghijklmnop', record);
  const key = { id: secret.metadata.name ?? '', actionGroups: [], allowedNamespaces: [] };

  it('with the key, with its time, and with the process', async () => {
    stores.apiKeys.applyWatch(secret);
    const clients = [
      follow({ ...ann, key }),
      follow({ ...ann, expiresAt: Date.now() + 20 }),
      follow(bob),
    ] as const;
    await Promise.all(clients.map((client) => client.until(1)));
    stores.apiKeys.deleteWatch(secret);
    await Promise.all([clients[0].until(2), clients[1].until(2)]);
    feed.close();
    await clients[2].until(2);
    expect(clients.map(({ seen }) => seen.at(-1)?.event)).toEqual(['end', 'end', 'end']);
    expect([feed.countOf('ann'), feed.countOf('bob')]).toEqual([0, 0]);
  });
});

it('looks at no client whom a change does not concern', async () => {
  let looks = 0;
  const others = Array.from({ length: 50 }, (_, i) =>
    Object.defineProperty(person(`p${i}`), 'isAdmin', {
      get: () => {
        looks++;
        return false;
      },
    }),
  );
  const clients = [...others, ann].map((principal) => follow(principal));
  await Promise.all(clients.map((client) => client.until(1)));
  looks = 0;
  put('box');
  await clients.at(-1)?.until(2);
  expect(looks).toBe(0);
});
