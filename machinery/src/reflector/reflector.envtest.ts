// SPDX-License-Identifier: Apache-2.0
import { startControlPlane } from '@agenttier/e2e/envtest/controlPlane';
import type { ControlPlane } from '@agenttier/e2e/envtest/controlPlane';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createKubeClient } from '../kube/client.ts';
import type { KubeClient } from '../kube/client.ts';
import { CONFIG_MAPS, NAMESPACES } from '../kube/resource.ts';
import type { KubeObject } from '../kube/resource.ts';
import { silentLogger } from '../telemetry/log.ts';
import { until } from '../testing/until.ts';
import { Reflector } from './reflector.ts';
import { splitKey, Store } from './store.ts';

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** A control plane of this file's own, since it is crashed here. */
let controlPlane: ControlPlane;
let client: KubeClient;
let stop: AbortController;
let running: Promise<void>;
let namespace: string;
let listed: string[];

beforeAll(async () => {
  controlPlane = await startControlPlane(process.env);
  client = createKubeClient(controlPlane.access);
});
afterAll(async () => {
  await client?.close();
  await controlPlane?.stop();
});
beforeEach(async (context) => {
  stop = new AbortController();
  running = Promise.resolve();
  listed = [];
  namespace = `reflector-${context.task.id.slice(-6).replace(/[^a-z0-9]/g, '')}`;
  await client.create(NAMESPACES, undefined, { metadata: { name: namespace } });
});
afterEach(async () => {
  stop.abort();
  await running;
});

function start(
  store: Store<ConfigMap>,
  through: Pick<KubeClient, 'list' | 'watch'> = client,
): Reflector<ConfigMap> {
  const reflector = new Reflector<ConfigMap>({
    client: through,
    resource: CONFIG_MAPS,
    namespace,
    store,
    log: silentLogger,
    backoff: { minMs: 50, maxMs: 500 },
    metrics: {
      listed: (reason) => listed.push(reason),
      watchStarted: () => undefined,
      event: () => undefined,
      failed: () => undefined,
    },
  });
  running = reflector.run(stop.signal);
  return reflector;
}

const make = (name: string, data: Record<string, string> = {}): Promise<ConfigMap> =>
  client.create<ConfigMap>(CONFIG_MAPS, namespace, { metadata: { name, namespace }, data });
const remove = (name: string): Promise<void> => client.delete(CONFIG_MAPS, { namespace, name });
const names = (store: Store<ConfigMap>): string =>
  store
    .keys()
    .map((key) => splitKey(key).name)
    .toSorted((a, b) => a.localeCompare(b))
    .join();

describe('Reflector against a real API server', () => {
  it('holds the collection and follows it', async () => {
    await make('a');
    await make('b');
    const store = new Store<ConfigMap>();
    await start(store).synced();
    expect(names(store)).toBe('a,b');
    await make('c', { x: '1' });
    await remove('a');
    await until(() => names(store) === 'b,c');
    await client.patch(CONFIG_MAPS, { namespace, name: 'c' }, { type: 'merge', body: { data: { x: '2' } } });
    await until(() => store.get(namespace, 'c')?.data?.['x'] === '2');
  });

  it('does the same with paged lists', async () => {
    await make('a');
    const store = new Store<ConfigMap>();
    const noStreaming: Pick<KubeClient, 'list' | 'watch'> = {
      list: (...of) => client.list(...of),
      // An unknown match makes the server refuse as one without the feature does.
      watch: (resource, query, control) =>
        client.watch(
          resource,
          query.sendInitialEvents ? { ...query, resourceVersion: 'no-number' } : query,
          control,
        ),
    };
    await start(store, noStreaming).synced();
    await make('b');
    await until(() => names(store) === 'a,b');
  });

  it('sees its own write at once and never an older state again', async () => {
    const created = await make('own', { n: '0' });
    const store = new Store<ConfigMap>();
    await start(store).synced();
    let conflicts = 0;
    let current = created;
    for (let n = 1; n <= 50; n++) {
      const body = { ...(store.get(namespace, 'own') ?? created), data: { n: String(n) } };
      current = await client.update(CONFIG_MAPS, body).catch((error: unknown) => {
        conflicts++;
        throw error;
      });
      store.applyLocal(current);
      expect(store.get(namespace, 'own')?.data?.['n']).toBe(String(n));
    }
    expect(conflicts).toBe(0);
    await client.patch(
      CONFIG_MAPS,
      { namespace, name: 'own' },
      { type: 'merge', body: { data: { n: 'other' } } },
    );
    await until(() => store.get(namespace, 'own')?.data?.['n'] === 'other');
  });

  it('finds its way back after a crash of the API server, deletions included', async () => {
    for (const name of ['a', 'b', 'c']) await make(name);
    const store = new Store<ConfigMap>();
    const gone: string[] = [];
    store.subscribe(({ type, object }) => void (type === 'deleted' && gone.push(object.metadata.name ?? '')));
    await start(store).synced();
    await (await controlPlane.crashApiServer()).restart();
    await remove('b');
    await make('d');
    await until(() => names(store) === 'a,c,d', 'the state after the crash', 30_000);
    expect(gone).toEqual(['b']);
  });

  it('lists again when its version is compacted away', async () => {
    await make('a');
    const first = (await client.list(CONFIG_MAPS, { namespace })).resourceVersion;
    await make('b');
    await remove('a');
    await controlPlane.compact();
    // A new API server has nothing in memory from before the compaction.
    await (await controlPlane.crashApiServer()).restart();
    const errors: unknown[] = [];
    for await (const event of client.watch(CONFIG_MAPS, { namespace, resourceVersion: first })) {
      if (event.type !== 'BOOKMARK') errors.push('object' in event ? event.object : event);
      break;
    }
    expect(errors).toMatchObject([{ code: 410, reason: 'Expired' }]);

    const store = new Store<ConfigMap>();
    // Until it has listed again, the reflector continues from the version that is gone.
    const late: Pick<KubeClient, 'list' | 'watch'> = {
      list: (...of) => client.list(...of),
      watch: (resource, query, control) => {
        const old = listed.length === 1 && !query.sendInitialEvents;
        return client.watch(resource, old ? { ...query, resourceVersion: first } : query, control);
      },
    };
    const reflector = start(store, late);
    await reflector.synced();
    await (await controlPlane.crashApiServer()).restart();
    await make('c');
    await until(() => names(store) === 'b,c', 'the state after the compaction', 30_000);
    expect(listed).toEqual(['start', 'expired']);
  });
});
