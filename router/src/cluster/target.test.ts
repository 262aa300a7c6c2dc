// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { ANNOTATION_TOKEN_NONCE, ownedLabels } from '@agenttier/crds/meta/labels';
import { podName, tokenSecretName } from '@agenttier/crds/meta/names';
import { describe, expect, it } from 'vitest';
import { keyObject, TEST_KEY } from '../testing/tokens.ts';
import { createStores } from './caches.ts';
import type { Pod, Secret } from './shapes.ts';
import { findTarget, targetOf } from './target.ts';

const BOX: Sandbox = { metadata: { name: 'box', namespace: 'team', uid: 'u1' } };

const pod = (nonce: string | undefined, uid = 'u1'): Pod => ({
  metadata: {
    name: podName('box'),
    namespace: 'team',
    uid: 'p1',
    resourceVersion: '1',
    labels: ownedLabels('box', uid),
    ...(nonce === undefined ? {} : { annotations: { [ANNOTATION_TOKEN_NONCE]: nonce } }),
  },
  status: { phase: 'Running', podIP: '10.0.0.1' },
});

/** HMAC-SHA256 of `u1/1` with 32 bytes of 7: the operator's tests expect the same. */
const TOKEN = 'KPF4Jss-K3w9TsxMcfAaObJa0PVehpOTxZrm2ZdWiBo';

const tokenOf = (uid: string, nonce: string): string | undefined =>
  targetOf({ metadata: { ...BOX.metadata, uid } }, pod(nonce, uid), TEST_KEY)?.runtime?.token;

const stored = (secret: Secret): Secret => ({
  ...secret,
  metadata: { ...secret.metadata, resourceVersion: '1' },
});

describe('the token of a target', () => {
  it('is the one that the operator gives the runtime', () => {
    expect(targetOf(BOX, pod('1'), Buffer.alloc(32, 7))).toEqual({
      namespace: 'team',
      pod: 'box-pod',
      podUid: 'p1',
      runtime: { podIP: '10.0.0.1', podUid: 'p1', token: TOKEN },
    });
  });

  it('is another one with each nonce, and for each sandbox', () => {
    expect(new Set([tokenOf('u1', '1'), tokenOf('u1', '2'), tokenOf('u2', '1')]).size).toBe(3);
  });

  it.each([
    ['the pod has no nonce', pod(undefined), TEST_KEY],
    ['there is no key yet', pod('1'), undefined],
  ])('is missing when %s', (_name, one, key) => {
    expect(targetOf(BOX, one, key)).toEqual({
      namespace: 'team',
      pod: 'box-pod',
      podUid: 'p1',
      reason: 'no_token',
    });
  });

  it('comes from the one key of the installation, and from no Secret of the sandbox', () => {
    const stores = createStores();
    stores.pods.applyWatch(pod('1'));
    const forged = { ...keyObject('agenttier'), data: { key: Buffer.alloc(32, 9).toString('base64') } };
    stores.keys.applyWatch(stored({ ...forged, metadata: { ...forged.metadata, name: 'another' } }));
    expect(findTarget(stores, BOX)).toMatchObject({ reason: 'no_token' });
    stores.keys.applyWatch(stored(keyObject('agenttier')));
    const annotations = { [ANNOTATION_TOKEN_NONCE]: 'forged' };
    const metadata = { name: tokenSecretName('box'), namespace: 'team', labels: ownedLabels('box', 'u1') };
    stores.keys.applyWatch(stored({ metadata: { ...metadata, annotations } }));
    expect(findTarget(stores, BOX)?.runtime?.token).toBe(TOKEN);
  });

  it.each([
    ['no data', {}],
    ['too short a key', { data: { key: Buffer.alloc(31, 7).toString('base64') } }],
  ])('is missing when the key Secret holds %s', (_name, over) => {
    const stores = createStores();
    stores.pods.applyWatch(pod('1'));
    const { metadata } = keyObject('agenttier');
    stores.keys.applyWatch(stored({ metadata, ...over }));
    expect(findTarget(stores, BOX)).toMatchObject({ reason: 'no_token' });
  });
});

describe('a pod', () => {
  const inPhase = (phase: string): Pod => ({ ...pod('1'), status: { phase, podIP: '10.0.0.1' } });

  it.each(['Running', 'Pending'])('that the kubelet calls %s is the one to work in', (phase) => {
    expect(targetOf(BOX, inPhase(phase), TEST_KEY)?.runtime?.podIP).toBe('10.0.0.1');
  });

  it.each(['Succeeded', 'Failed'])('that has %s is none', (phase) => {
    expect(targetOf(BOX, inPhase(phase), TEST_KEY)).toBeUndefined();
  });
});
