// SPDX-License-Identifier: Apache-2.0
import { adminClient, freshNamespace } from '@agenttier/e2e/envtest/server';
import { describe, expect, it } from 'vitest';
import { CONFIG_MAPS, EVENTS, NODES } from '../kube/resource.ts';
import type { KubeObject } from '../kube/resource.ts';
import { createEventRecorder } from './recorder.ts';

describe('event recorder against a real API server', () => {
  it('writes events and series that it accepts', async () => {
    const client = await adminClient();
    const namespace = await freshNamespace('events');
    const regarding = await client.create(CONFIG_MAPS, namespace, { metadata: { name: 'a', namespace } });
    const recorder = createEventRecorder({ client, component: 'agenttier.io/test', instance: 'test-1' });
    for (let i = 0; i < 3; i++) {
      recorder.record({
        regarding,
        type: 'Warning',
        reason: 'Failed',
        note: `it failed ${'x'.repeat(2000)}`,
      });
    }
    const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: `n-${namespace}` } };
    recorder.record({ regarding: node, type: 'Normal', reason: 'Seen', note: 'a node' });
    await recorder.flush();
    expect(recorder.dropped).toBe(0);
    const { items } = await client.list(EVENTS, { namespace });
    expect(items).toMatchObject([
      { reason: 'Failed', series: { count: 3 }, regarding: { kind: 'ConfigMap' } },
    ]);
    const ofNode = await client.list(EVENTS, { namespace: 'default' });
    expect(ofNode.items).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          regarding: { apiVersion: 'v1', kind: NODES.kind, name: `n-${namespace}` },
        }),
      ]),
    );
  });
});
