// SPDX-License-Identifier: Apache-2.0
import { WorkQueue } from '@agenttier/machinery/controller/workqueue';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { describe, expect, it } from 'vitest';
import { createCaches } from '../caches.ts';
import { sandbox, TEMPLATE } from '../testing/fixtures.ts';
import { feedQueue } from './feed.ts';

const owned = (labels: Record<string, string>): KubeObject => ({
  metadata: { name: 'x', namespace: 'team', uid: 'x', resourceVersion: '1', labels },
});

async function drain(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.length > 0) {
    const key = (await queue.get()) ?? '';
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

describe('feedQueue', () => {
  it('begins with what is known, then follows sandboxes, their objects and their templates', async () => {
    const caches = createCaches();
    const removals: string[] = [];
    caches.sandboxes.applyWatch(sandbox());
    caches.sandboxes.applyWatch(sandbox({ name: 'two', uid: 'two', chain: [] }));
    const queue = new WorkQueue();
    const stop = feedQueue(caches, queue, (key) => removals.push(key));
    expect(await drain(queue)).toEqual(['team/one', 'team/two']);
    caches.clusterTemplates.applyWatch({
      metadata: { ...TEMPLATE.metadata, resourceVersion: '2' },
      spec: {},
    });
    expect(await drain(queue)).toEqual(['team/one']);
    const pod = owned({ 'agenttier.io/sandbox': 'two' });
    caches.pods.applyWatch(pod as never);
    caches.pods.deleteWatch(pod as never);
    expect(await drain(queue)).toEqual(['team/two']);
    expect(removals).toEqual(['team/two']);
    caches.secrets.applyWatch(owned({}));
    expect(await drain(queue)).toEqual([]);
    stop();
    caches.sandboxes.applyWatch(sandbox({ name: 'three', uid: 'three' }));
    expect(await drain(queue)).toEqual([]);
  });

  it('lets what happens to one sandbox pass what concerns all of them', async () => {
    const caches = createCaches();
    const running = (name: string) => ({
      ...sandbox({ name, uid: name }),
      status: { phase: 'Running' as const },
    });
    for (const name of ['a', 'b', 'c']) caches.sandboxes.applyWatch(running(name));
    const queue = new WorkQueue();
    const stop = feedQueue(caches, queue, () => undefined);
    await drain(queue);
    caches.clusterPolicies.applyWatch({
      metadata: { name: 'default', uid: 'p', resourceVersion: '1', generation: 1 },
      spec: { maxCpu: '4' },
    });
    caches.pods.applyWatch(owned({ 'agenttier.io/sandbox': 'c' }) as never);
    caches.sandboxes.applyWatch(sandbox({ name: 'new', uid: 'new' }));
    expect(await drain(queue)).toEqual(['team/new', 'team/c', 'team/a', 'team/b']);
    stop();
  });

  it('wakes what waits for another sandbox or a snapshot, until it has a volume', async () => {
    const caches = createCaches();
    const queue = new WorkQueue();
    const copy = sandbox({ name: 'copy', uid: 'copy', spec: { cloneFrom: { sandbox: 'source' } } });
    caches.sandboxes.applyWatch(copy);
    caches.sandboxes.applyWatch(
      sandbox({ name: 'restored', uid: 'restored', spec: { cloneFromSnapshot: 'old' } }),
    );
    const stop = feedQueue(caches, queue, () => undefined);
    await drain(queue);
    caches.sandboxes.applyWatch(sandbox({ name: 'source', uid: 'source' }));
    expect(await drain(queue)).toEqual(['team/source', 'team/copy']);
    const old = { metadata: { name: 'old', namespace: 'team', uid: 'old', resourceVersion: '1' } };
    caches.snapshots.store.applyWatch(old as never);
    expect(await drain(queue)).toEqual(['team/restored']);
    const bound = { ...copy.metadata, resourceVersion: '2' };
    caches.sandboxes.applyWatch({ ...copy, metadata: bound, status: { pvcName: 'copy-workspace' } });
    await drain(queue);
    caches.sandboxes.deleteWatch(sandbox({ name: 'source', uid: 'source' }));
    expect(await drain(queue)).toEqual(['team/source']);
    stop();
  });
});
