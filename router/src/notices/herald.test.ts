// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, WebhookSubscription } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { MAX_WAITING } from '@agenttier/crds/subscription/notices';
import type { News } from '@agenttier/crds/subscription/notices';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { MemoryApi } from '@agenttier/machinery/testing/memoryApi';
import type { MemoryCall } from '@agenttier/machinery/testing/memoryApi';
import { until } from '@agenttier/machinery/testing/until';
import { beforeEach, expect, it } from 'vitest';
import { createStores } from '../cluster/caches.ts';
import type { Stores } from '../cluster/caches.ts';
import { Herald } from './herald.ts';

type Box = Sandbox & KubeObject;

const KEY = { namespace: 'team', name: 'box' };
let api: MemoryApi;
let stores: Stores;
let dropped: number;
let box: Box;

beforeEach(async () => {
  api = new MemoryApi();
  stores = createStores();
  dropped = 0;
  box = await api.create<Box>(SANDBOXES, 'team', {
    metadata: KEY,
    spec: { templateRef: { name: 'agent' }, createdBy: { sub: 'ann' } },
    status: { noticeId: 6 },
  });
  stores.sandboxes.applyWatch(box);
});

function subscribe(eventTypes?: NonNullable<WebhookSubscription['spec']['eventTypes']>): void {
  stores.subscriptions.applyWatch({
    metadata: { name: 'hook', namespace: 'team', uid: 'sub-1', resourceVersion: '1' },
    spec: {
      url: 'https://hooks.example.com/',
      scope: 'Own',
      createdBy: { sub: 'ann' },
      secretRef: { name: 'key' },
      ...(eventTypes && { eventTypes }),
    },
  });
}

const heraldOf = (most?: number): Herald =>
  new Herald({
    client: api,
    ...stores,
    dropped: (count) => void (dropped += count),
    log: silentLogger,
    ...(most === undefined ? {} : { most }),
  });

const started = (n: number): News => ({
  type: 'agent.invoke.started',
  reason: 'AgentInvokeStarted',
  message: `number ${n}`,
  key: `inv-${n}-started`,
});

const carried = async () => (await api.get<Box>(SANDBOXES, KEY)).status?.notices ?? [];
const isPatch = ({ verb }: MemoryCall): boolean => verb === 'patch';

/** What the notifier does with what it finds. */
async function take(): Promise<string[]> {
  const { metadata, status } = await api.get<Box>(SANDBOXES, KEY);
  const body = { metadata: { resourceVersion: metadata.resourceVersion }, status: { notices: null } };
  await api.patch(SANDBOXES, KEY, { type: 'merge', body });
  return (status?.notices ?? []).map(({ key = '' }) => key);
}

it('writes nothing where nobody has subscribed, or to something else', async () => {
  const herald = heraldOf();
  herald.tell(box, started(1));
  subscribe(['sandbox.running']);
  herald.tell(box, started(2));
  await herald.close();
  expect(api.calls.filter(isPatch)).toEqual([]);
});

it("puts events beside those of the operator, on from its numbers, and undoes no one else's write", async () => {
  subscribe();
  const herald = heraldOf();
  // The operator was faster, and this replica has not heard of it.
  const his = { id: 7, type: 'sandbox.running', time: new Date().toISOString(), subscriptions: ['sub-1'] };
  const body = { status: { phase: 'Running', noticeId: 7, notices: [his] } };
  await api.patch(SANDBOXES, KEY, { type: 'merge', body });
  herald.tell(box, started(1));
  herald.tell(box, started(2));
  await herald.close();
  const notices = await carried();
  expect(notices.map(({ id, key }) => [id, key])).toEqual([
    [7, undefined],
    [8, 'inv-1-started'],
    [9, 'inv-2-started'],
  ]);
  expect(notices[1]).toMatchObject({
    type: 'agent.invoke.started',
    reason: 'AgentInvokeStarted',
    message: 'number 1',
    subscriptions: ['sub-1'],
  });
  expect((await api.get<Box>(SANDBOXES, KEY)).status?.phase).toBe('Running');
});

it('waits for room: a burst loses nothing and pushes nothing out', async () => {
  subscribe();
  const herald = heraldOf();
  const told = Array.from({ length: 3 * MAX_WAITING + 1 }, (_, i) => started(i));
  for (const news of told) herald.tell(box, news);
  const seen: string[] = [];
  await until(async () => {
    seen.push(...(await take().catch(() => [])));
    return seen.length >= told.length;
  }, 'all to be taken');
  expect(seen).toEqual(told.map(({ key }) => key));
  await herald.close();
  expect([await carried(), dropped]).toEqual([[], 0]);
});

it('stores an event once, though the answer to the write was lost', async () => {
  subscribe();
  const herald = heraldOf();
  const patch = api.patch.bind(api);
  let lost = 0;
  api.patch = async (...given: Parameters<typeof patch>) => {
    const stored = await patch(...given);
    if (lost++ === 0) throw new Error('the connection broke');
    return stored as never;
  };
  herald.tell(box, started(1));
  await until(() => lost > 0, 'the write');
  herald.tell(box, started(2));
  await until(async () => (await carried()).length === 2, 'both');
  await herald.close();
  expect((await carried()).map(({ key }) => key)).toEqual(['inv-1-started', 'inv-2-started']);
});

it('says nothing of a sandbox that is gone, or is another one by now', async () => {
  subscribe();
  const herald = heraldOf();
  herald.tell({ ...box, metadata: { ...box.metadata, uid: 'of-before' } }, started(1));
  await herald.close();
  expect([await carried(), dropped]).toEqual([[], 0]);
});

it('keeps so many and counts the rest, and ends with the process', async () => {
  subscribe();
  const herald = heraldOf(2);
  api.before = (call) => {
    if (isPatch(call)) throw new Error('away');
  };
  for (let n = 0; n < 5; n++) herald.tell(box, started(n));
  expect(dropped).toBe(3);
  await herald.close();
  expect(dropped).toBe(5);
});
