// SPDX-License-Identifier: Apache-2.0
import { EVENTS } from '@agenttier/machinery/kube/resource';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN_KEY, ANN_KEY, BOB_KEY, Harness, keySecret } from '../../testing/harness.ts';
import type { Json } from '../../testing/harness.ts';

const SQLITE = { store: 'sqlite', sqlitePath: ':memory:', postgresUrl: '', retentionMs: 86_400_000 } as const;
const template = { name: 'shell', kind: 'ClusterSandboxTemplate' };
let harness: Harness;
afterEach(() => harness.stop());

const events = async (query = '', key = ADMIN_KEY) =>
  (await harness.call('GET', `/api/v1/audit/events${query}`, { key })).body;
const types = async (query = '', key = ADMIN_KEY): Promise<string[]> =>
  (await events(query, key)).events.map((each: Json) => each.eventType);

describe('with a database', () => {
  beforeEach(async () => {
    harness = await Harness.start({ auditing: SQLITE });
  });

  /** What Ann and Bob do. Rows are written behind everything else. */
  async function happen(): Promise<void> {
    const call = (method: string, path: string, key: string, body?: unknown) =>
      harness.call(method, `/api/v1${path}`, { key, ...(body === undefined ? {} : { body }) });
    await harness.add({ name: 'foreign', owner: 'bob' });
    await harness.add({ name: 'box' });
    expect((await call('POST', '/sandboxes', ANN_KEY, { name: 'made', templateRef: template })).status).toBe(
      201,
    );
    expect((await call('POST', '/sandboxes/box/stop', ANN_KEY)).status).toBe(200);
    expect((await call('DELETE', '/sandboxes/foreign', BOB_KEY)).status).toBe(204);
    expect((await call('POST', '/user/api-keys', BOB_KEY, { name: '=cmd()' })).status).toBe(201);
    expect((await call('POST', '/sandboxes', ANN_KEY, { name: 'No' })).status).toBe(400);
    await until(async () => (await events()).events.length === 4, 'four rows');
  }

  it('tells who did what, from where and with what address, newest first', async () => {
    await happen();
    const { events: found } = await events();
    expect(found.map((each: Json) => each.eventType)).toEqual([
      'ApiKeyCreated',
      'SandboxDeleted',
      'SandboxStopped',
      'SandboxCreated',
    ]);
    expect(found[3]).toMatchObject({
      sandboxId: 'made',
      sandboxName: 'made',
      namespace: 'default',
      user: 'ann',
      userEmail: 'ann@example.com',
      outcome: 'allowed',
      sourceIp: '127.0.0.1',
      details: { reason: 'The sandbox was created' },
    });
    expect(found[0]).toMatchObject({ resource: 'ApiKey', sandboxId: '', user: 'bob' });
    expect(Date.parse(found[0].timestamp)).toBeGreaterThan(Date.now() - 60_000);
  });

  it('is narrowed and paged', async () => {
    await happen();
    expect(await types('?sandbox=box')).toEqual(['SandboxStopped']);
    expect(await types('?user=ann@example.com&type=SandboxStopped')).toEqual(['SandboxStopped']);
    expect(await types('?namespace=agenttier')).toEqual(['ApiKeyCreated']);
    expect(await types('?from=2000-01-01&to=2001-01-01T00:00:00Z')).toEqual([]);
    const first = await events('?limit=3');
    expect(first.events).toHaveLength(3);
    const second = await events(`?limit=3&continue=${first.continue}`);
    expect(second.events.map((each: Json) => each.eventType)).toEqual(['SandboxCreated']);
    expect(second.continue).toBeUndefined();
    for (const query of ['?from=yesterday', '?continue=x', '?limit=0', '?limit=5000']) {
      expect((await harness.call('GET', `/api/v1/audit/events${query}`, { key: ADMIN_KEY })).status).toBe(
        400,
      );
    }
  });

  it('shows people their own sandboxes and deeds, and a key of one sandbox nothing', async () => {
    await happen();
    expect(await types('', ANN_KEY)).toEqual(['SandboxStopped', 'SandboxCreated']);
    expect(await types('', BOB_KEY)).toEqual(['ApiKeyCreated', 'SandboxDeleted']);
    expect(await types('?user=bob', ANN_KEY)).toEqual([]);
    const scoped = 'atk_scoped-0123456789abcdefghijkl';
    const record = { userId: 'ann', sandboxId: 'box' };
    harness.router.stores.apiKeys.applyWatch(keySecret(scoped, record));
    expect((await harness.call('GET', '/api/v1/audit/events', { key: scoped })).status).toBe(403);
    // An administrator stops Ann's sandbox: she is to see that.
    await harness.add({ name: 'seen', owner: 'ann' });
    await harness.call('POST', '/api/v1/sandboxes/seen/stop', { key: ADMIN_KEY });
    await until(
      async () => (await events('?sandbox=seen', ANN_KEY)).events.length === 1,
      "the administrator's act",
    );
    expect((await events('?sandbox=seen', ANN_KEY)).events[0].user).toBe('root');
    expect(await types('?sandbox=seen', BOB_KEY)).toEqual([]);
  });

  it('keeps what was refused', async () => {
    await harness.add({ name: 'shared', owner: 'bob', spec: sharedWith('ann') });
    expect((await harness.call('DELETE', '/api/v1/sandboxes/shared')).status).toBe(403);
    await until(async () => (await events()).events.length === 1, 'the refusal');
    expect((await events()).events[0]).toMatchObject({
      eventType: 'SandboxDeleted',
      outcome: 'denied',
      user: 'ann',
      details: { reason: 'access_denied', code: 'access_denied' },
    });
  });

  it('keeps each member of a batch, and nothing of what is only tried', async () => {
    const post = (path: string, body: unknown) => harness.call('POST', `/api/v1/sandboxes${path}`, { body });
    await harness.add({ name: 'one' });
    await harness.add({ name: 'two', namespace: 'team' });
    const items = [{ name: 'three', templateRef: template }, { name: 'No' }];
    expect((await post('/bulk?dryRun=true', { items })).status).toBe(200);
    expect((await post('?dryRun=true', items[0])).status).toBe(201);
    expect((await post('/bulk', { items })).status).toBe(200);
    expect((await post('/bulk-action', { action: 'stop', ids: ['one', 'two', 'none'] })).status).toBe(200);
    await until(async () => (await events()).events.length === 3, 'three rows');
    const found = (await events()).events.map(
      (each: Json) => `${each.eventType} ${each.namespace}/${each.name}`,
    );
    expect(found.sort()).toEqual([
      'SandboxCreated default/three',
      'SandboxStopped default/one',
      'SandboxStopped team/two',
    ]);
  });

  it('is exported as lines of JSON and as a table in which nothing is a formula', async () => {
    await happen();
    const table = await harness.call('GET', '/api/v1/audit/export?format=csv', { key: ADMIN_KEY });
    expect(table.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(table.headers.get('content-disposition')).toBe('attachment; filename="audit.csv"');
    const [head, ...lines] = table.body.trimEnd().split('\r\n');
    expect(head).toMatch(/^id,timestamp,type,outcome,/);
    expect(lines).toHaveLength(4);
    const answer = await fetch(`${harness.url}/api/v1/audit/export?sandbox=box`, {
      headers: { 'X-API-Key': ANN_KEY },
    });
    const text = await answer.text();
    const found = text
      .trimEnd()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    expect(found.map((each: Json) => each.type)).toEqual(['SandboxStopped']);
    expect((await harness.call('GET', '/api/v1/audit/export?format=xml')).status).toBe(400);
  });
});

describe('with a database that is away', () => {
  it('says that it cannot be asked, and nothing of where it is and who asks it', async () => {
    const postgresUrl = 'postgres://router:hidden@127.0.0.1:1/audit';
    harness = await Harness.start({ auditing: { ...SQLITE, store: 'postgres', postgresUrl } });
    const answer = await harness.call('GET', '/api/v1/audit/events', { key: ADMIN_KEY });
    expect(answer.status).toBe(503);
    expect(answer.body).toEqual({ error: 'the audit store cannot be read at the moment' });
  });
});

describe('without a database', () => {
  it('gives what the cluster remembers', async () => {
    harness = await Harness.start();
    const box = await harness.add({ name: 'box' });
    const eventOf = (name: string, reason: string, eventTime: string, uid: string) =>
      harness.api.create(EVENTS, 'default', {
        metadata: { name, namespace: 'default' },
        regarding: { kind: 'Sandbox', name: 'box', namespace: 'default', uid },
        reason,
        note: `It is ${reason}`,
        eventTime,
        type: 'Normal',
      } as Json);
    await eventOf('a', 'Started', '2026-01-01T00:00:00.000000Z', box.metadata.uid ?? '');
    await eventOf('b', 'ExecRun', '2026-01-01T00:00:01.000000Z', box.metadata.uid ?? '');
    await eventOf('c', 'ExecRun', '2026-01-01T00:00:02.000000Z', 'another');
    expect(await types()).toEqual(['ExecRun', 'ExecRun', 'Started']);
    expect(await types('', ANN_KEY)).toEqual(['ExecRun', 'Started']);
    expect(await types('', BOB_KEY)).toEqual([]);
    expect(await types('?type=Started')).toEqual(['Started']);
    expect((await events('?type=Started')).events[0]).toMatchObject({
      sandboxId: 'box',
      timestamp: '2026-01-01T00:00:00.000Z',
      userEmail: '',
      details: { reason: 'It is Started' },
    });
  });
});

const sharedWith = (identity: string) => ({
  createdBy: { sub: 'bob' },
  templateRef: { name: 'shell' },
  sharing: { users: [{ identity, level: 'viewer' as const }] },
});
