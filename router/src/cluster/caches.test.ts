// SPDX-License-Identifier: Apache-2.0
import { createKubeClient } from '@agenttier/machinery/kube/client';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { list, ScriptedServer, silence, status } from '@agenttier/machinery/testing/scriptedServer';
import type { Reply } from '@agenttier/machinery/testing/scriptedServer';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Caches, createStores } from './caches.ts';
import type { Stores } from './caches.ts';

let server: ScriptedServer;
let stores: Stores;
let stop: AbortController;
let caches: Caches;
let running: Promise<void>;

beforeEach(async () => {
  server = await ScriptedServer.start();
  stores = createStores();
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await running;
  await server.close();
});

function start(): void {
  const client = createKubeClient(server.access());
  caches = new Caches({ client, stores, installNamespace: 'agenttier', log: silentLogger });
  running = caches.run(stop.signal).then(() => client.close());
}

/** Lists once, then watches in silence; streaming lists are refused as an old server does. */
const collection =
  (items: object[]): Reply =>
  (response, request) => {
    const { query } = request;
    const reply = query.has('sendInitialEvents') ? status(422) : query.has('watch') ? silence : list(items);
    reply(response, request);
  };

describe('Caches', () => {
  it('reads what is labelled, keeps little of a pod and waits for everything', async () => {
    const pod = {
      metadata: {
        name: 'box-pod',
        namespace: 'team',
        uid: 'p1',
        resourceVersion: '5',
        managedFields: [{}],
        annotations: { a: 'b', 'agenttier.io/token-nonce': '1' },
      },
      spec: { containers: [{ name: 'sandbox', env: [{ name: 'SECRET', value: 'x' }] }] },
      status: { phase: 'Running', podIP: '10.0.0.1', conditions: [] },
    };
    server.on('GET', '/api/v1/pods', collection([pod]));
    server.on('GET', /.*/, collection([]));
    start();
    await until(() => caches.missing().length === 0, 'everything to be read');
    expect(stores.pods.list()).toEqual([
      {
        metadata: {
          name: 'box-pod',
          namespace: 'team',
          uid: 'p1',
          resourceVersion: '5',
          annotations: { 'agenttier.io/token-nonce': '1' },
        },
        status: { phase: 'Running', podIP: '10.0.0.1' },
      },
    ]);
    const selectors = server.requests.map(({ path, query }) => `${path} ${query.get('labelSelector') ?? ''}`);
    expect(new Set(selectors)).toEqual(
      new Set([
        '/apis/agenttier.io/v1alpha1/sandboxes ',
        '/apis/agenttier.io/v1alpha1/clustergovernancepolicies ',
        '/apis/agenttier.io/v1alpha1/governancepolicies ',
        '/apis/agenttier.io/v1alpha1/sandboxtemplates ',
        '/apis/agenttier.io/v1alpha1/clustersandboxtemplates ',
        '/apis/agenttier.io/v1alpha1/sandboxwarmpools ',
        '/apis/agenttier.io/v1alpha1/webhooksubscriptions ',
        '/api/v1/pods app.kubernetes.io/component=sandbox',
        '/api/v1/namespaces/agenttier/secrets agenttier.io/secret-purpose=runtime-key',
        '/api/v1/namespaces/agenttier/secrets agenttier.io/secret-purpose=api-key',
      ]),
    );
  });

  it('is not ready without something that it may not read', async () => {
    server.on('GET', '/api/v1/pods', status(403, { reason: 'Forbidden' }));
    server.on('GET', /.*/, collection([]));
    start();
    await until(() => caches.missing().length === 1, 'the rest to be read');
    expect(caches.missing()).toEqual(['pods']);
  });
});
