// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { ANNOTATION_TOKEN_NONCE, ownedLabels } from '@agenttier/crds/meta/labels';
import { podName } from '@agenttier/crds/meta/names';
import { describe, expect, it } from 'vitest';
import { keyObject, runtimeToken } from '../testing/tokens.ts';
import { awaitTarget } from './awaitTarget.ts';
import { createStores } from './caches.ts';
import type { Stores } from './caches.ts';
import type { Pod, Secret } from './shapes.ts';

const box = (
  phase: 'Creating' | 'Running' | 'Stopped' | undefined,
  over: Partial<Sandbox> = {},
  uid = 'u1',
): Sandbox => ({
  metadata: { name: 'box', namespace: 'team', uid, resourceVersion: `${Math.random()}` },
  spec: {},
  ...(phase ? { status: { phase, podName: podName('box') } } : {}),
  ...over,
});
const pod = (status: Pod['status'], uid = 'u1'): Pod => ({
  metadata: {
    name: podName('box'),
    namespace: 'team',
    uid: 'p1',
    resourceVersion: `${Math.random()}`,
    labels: ownedLabels('box', uid),
    annotations: { [ANNOTATION_TOKEN_NONCE]: '1' },
  },
  ...(status ? { status } : {}),
});
const key = (): Secret => {
  const made = keyObject('agenttier');
  return { ...made, metadata: { ...made.metadata, resourceVersion: `${Math.random()}` } };
};
const up = { phase: 'Running', podIP: '10.0.0.1' };
const FOUND = {
  namespace: 'team',
  pod: 'box-pod',
  podUid: 'p1',
  runtime: { podIP: '10.0.0.1', token: runtimeToken('u1'), podUid: 'p1' },
};

function filled(fill: (stores: Stores) => void): Stores {
  const stores = createStores();
  fill(stores);
  return stores;
}

describe('awaitTarget', () => {
  it('knows a running pod at once', async () => {
    const sandbox = box('Running');
    const stores = filled((s) => {
      s.sandboxes.applyWatch(sandbox);
      s.pods.applyWatch(pod(up));
      s.keys.applyWatch(key());
    });
    expect(await awaitTarget(stores, sandbox)).toEqual(FOUND);
  });

  it('waits for watches that are not in step', async () => {
    const sandbox = box('Creating');
    const stores = filled((s) => s.sandboxes.applyWatch(sandbox));
    const target = awaitTarget(stores, sandbox);
    setTimeout(() => stores.sandboxes.applyWatch(box('Running')), 20);
    setTimeout(() => stores.keys.applyWatch(key()), 40);
    setTimeout(() => stores.pods.applyWatch(pod(up)), 60);
    expect(await target).toEqual(FOUND);
  });

  it('goes without the runtime when the key or the address stay away', async () => {
    const sandbox = box('Running');
    const noKey = filled((s) => {
      s.sandboxes.applyWatch(sandbox);
      s.pods.applyWatch(pod(up));
    });
    expect(await awaitTarget(noKey, sandbox)).toMatchObject({ pod: 'box-pod', reason: 'no_token' });
    const noAddress = filled((s) => {
      s.sandboxes.applyWatch(sandbox);
      s.pods.applyWatch(pod({ phase: 'Running' }));
      s.keys.applyWatch(key());
    });
    expect(await awaitTarget(noAddress, sandbox)).toMatchObject({ reason: 'no_address' });
  });

  const refused: [name: string, sandbox: Sandbox, more: (stores: Stores) => void, state: RegExp][] = [
    ['a stopped sandbox', box('Stopped'), () => {}, /Stopped/],
    ['one that is to stop', box('Running', { spec: { desiredState: 'Stopped' } }), () => {}, /stopping/],
    ['one that does not start', box('Creating'), () => {}, /Creating/],
    ['one whose pod is not there', box('Running'), () => {}, /replacing/],
    [
      'a pod that is leaving',
      box('Running'),
      (s) => s.pods.applyWatch({ ...pod(up), metadata: { ...pod(up).metadata, deletionTimestamp: 'now' } }),
      /replacing/,
    ],
    ['a pod that has ended', box('Running'), (s) => s.pods.applyWatch(pod({ phase: 'Failed' })), /replacing/],
    ['the pod of a namesake', box('Running'), (s) => s.pods.applyWatch(pod(up, 'u0')), /replacing/],
    [
      'a sandbox that was made anew',
      box('Running'),
      (s) => s.sandboxes.applyWatch(box('Running', {}, 'u2')),
      /deleted/,
    ],
  ];
  it.each(refused)('refuses %s', async (_name, sandbox, more, state) => {
    const stores = filled((s) => s.sandboxes.applyWatch(sandbox));
    more(stores);
    await expect(awaitTarget(stores, sandbox, { patienceMs: 50 })).rejects.toMatchObject({
      status: 409,
      body: { error: 'sandbox is not running', message: expect.stringMatching(state) },
    });
  });

  it('does not wait for what a pod that has long been ready will not get', async () => {
    const status = { phase: 'Running' as const, podName: podName('box'), startedAt: '2026-01-01T00:00:00Z' };
    const sandbox = box('Running', { status });
    const stores = filled((s) => {
      s.sandboxes.applyWatch(sandbox);
      s.pods.applyWatch(pod(up));
    });
    const started = performance.now();
    await awaitTarget(stores, sandbox);
    expect(performance.now() - started).toBeLessThan(200);
  });
});
