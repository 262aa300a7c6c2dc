// SPDX-License-Identifier: Apache-2.0
import {
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { beforeEach, describe, expect, it } from 'vitest';
import { refusal } from '../testing/cluster.ts';
import { MINUTE, T0 } from '../testing/fixtures.ts';
import { PENDING } from '../testing/pods.ts';
import { Replica } from '../testing/replica.ts';
import { Scenario } from '../testing/scenario.ts';
let s: Scenario;

beforeEach(() => {
  s = new Scenario();
});

describe('create', () => {
  it('makes everything in one reconcile, the pod last', async () => {
    s.apply();
    await s.operator.reconcile();
    const writes = s.cluster.calls.map(({ verb, resource }) => `${verb} ${resource}`);
    expect(new Set(writes.slice(0, 4))).toEqual(
      new Set([
        'create serviceaccounts',
        'create networkpolicies',
        'create secrets',
        'create persistentvolumeclaims',
      ]),
    );
    expect(writes.slice(4)).toEqual(['create pods', 'patch sandboxes']);
    expect(s.status()).toMatchObject({
      phase: 'Creating',
      podName: 'one-pod',
      pvcName: 'one-workspace',
      observedGeneration: 1,
    });
  });

  it('is Running as soon as the runtime answers, before the kubelet says so', async () => {
    s.apply();
    await s.operator.reconcile();
    s.cluster.setPodStatus({ ...PENDING, podIP: '10.0.0.7' });
    await s.operator.reconcile();
    const uid = s.cluster.pod()?.metadata.uid ?? '';
    expect(s.operator.probed).toEqual([uid]);
    s.advance(812);
    s.operator.answer(uid);
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({
      phase: 'Running',
      reason: 'Ready',
      startup: { path: 'cold', totalMs: 812 },
    });
    expect(s.condition('Ready')?.status).toBe('True');
    expect(s.operator.events.at(-1)?.note).toContain('startup: 812ms');
    expect(s.operator.tallies).toContainEqual({
      metric: 'startup',
      path: 'cold',
      template: 'base',
      seconds: 0.812,
      phases: [
        ['admit', 0],
        ['schedule', 0],
        ['ready', 0.812],
      ],
    });
  });

  it('has nothing to do once settled', async () => {
    await s.start();
    const before = s.cluster.calls.length;
    await s.operator.reconcile();
    await new Replica(s.cluster).reconcile();
    expect(s.cluster.calls.length).toBe(before);
  });

  it('does not create the pod when the NetworkPolicy is refused, and says why', async () => {
    s.apply();
    s.cluster.before = ({ verb, resource }) => {
      if (verb === 'create' && resource === 'networkpolicies')
        throw refusal(403, 'Forbidden', 'quota exceeded');
    };
    const wait = await s.operator.reconcile();
    expect(s.cluster.objects(PODS)).toEqual([]);
    expect(s.status()).toMatchObject({ phase: 'Creating', reason: 'Forbidden' });
    expect(s.condition('NetworkReady')).toMatchObject({ status: 'False', message: 'quota exceeded' });
    expect(wait).toBeLessThanOrEqual(1_000);
    s.cluster.before = undefined;
    s.advance(1_000);
    await s.operator.reconcile();
    expect(s.cluster.objects(PODS)).toHaveLength(1);
  });

  it.each([
    [422, 'Invalid', 0, 'InvalidSpec'],
    [403, 'Forbidden', 10 * MINUTE, 'StartDeadlineExceeded'],
  ])('gives a pod that is refused with %i up after its time', async (code, reason, wait, expected) => {
    s.apply();
    s.cluster.before = ({ verb, resource }) => {
      if (verb === 'create' && resource === 'pods') throw refusal(code, reason, 'no such pod here');
    };
    await s.operator.reconcile();
    if (wait > 0) {
      expect(s.status().phase).toBe('Creating');
      s.advance(wait);
      await s.operator.reconcile();
    }
    expect(s.status()).toMatchObject({ phase: 'Error', reason: expected });
    expect(s.status().message).toContain('no such pod here');
  });

  it('judges an edited spec by itself: refused again, it is an Error again and then at rest', async () => {
    s.apply();
    s.cluster.before = ({ verb, resource }) => {
      if (verb === 'create' && resource === 'pods') throw refusal(422, 'Invalid', 'no such pod here');
    };
    await s.operator.reconcile();
    s.cluster.editSandbox((one) => ({ ...one, spec: { ...one.spec, autoResume: true } }));
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Error', reason: 'InvalidSpec', observedGeneration: 2 });
    const calls = s.cluster.calls.length;
    await s.operator.reconcile();
    expect(s.cluster.calls.length).toBe(calls);
  });

  it('keeps trying on faults of the API server and is never an Error for them', async () => {
    s.apply();
    s.cluster.before = ({ verb }) => {
      if (verb === 'create') throw refusal(503, 'ServiceUnavailable', 'busy');
    };
    await expect(s.operator.reconcile()).rejects.toThrow('busy');
    expect(s.status()).toMatchObject({ phase: 'Creating', reason: 'ApiUnavailable' });
    s.advance(60 * MINUTE);
    await expect(s.operator.reconcile()).rejects.toThrow('busy');
    s.cluster.before = undefined;
    await s.operator.reconcile();
    expect(s.cluster.objects(PODS)).toHaveLength(1);
    expect(s.status().phase).toBe('Creating');
  });

  it('leaves an object of somebody else alone', async () => {
    s.apply();
    s.cluster.put(PERSISTENT_VOLUME_CLAIMS, {
      metadata: { name: 'one-workspace', namespace: 'team', uid: 'theirs' },
    });
    await s.operator.reconcile();
    expect(s.condition('VolumeReady')).toMatchObject({ status: 'False', reason: 'Conflict' });
    expect(s.cluster.objects(PODS)).toEqual([]);
    expect(s.cluster.objects(PERSISTENT_VOLUME_CLAIMS)[0]?.metadata.uid).toBe('theirs');
  });
});

const leftover = (name: string, more: object = {}): KubeObject => ({
  metadata: {
    name,
    namespace: 'team',
    uid: `old-${name}`,
    labels: {
      'agenttier.io/managed': 'true',
      'agenttier.io/sandbox': 'one',
      'agenttier.io/sandbox-uid': 'old',
    },
    ownerReferences: [
      { apiVersion: 'agenttier.io/v1alpha1', kind: 'Sandbox', name: 'one', uid: 'old', controller: true },
    ],
    ...more,
  },
});

describe('objects of an earlier sandbox of the same name', () => {
  it('are replaced, except a volume', async () => {
    s.apply();
    s.cluster.put(NETWORK_POLICIES, leftover('one-netpol'));
    s.cluster.put(SECRETS, leftover('one-runtime-token'));
    await s.operator.reconcile();
    expect(s.cluster.objects(PODS)).toHaveLength(1);
    expect(s.cluster.objects(NETWORK_POLICIES)[0]?.metadata.uid).not.toBe('old-one-netpol');
  });

  it('a pod that is still ending is waited for', async () => {
    s.apply();
    s.cluster.put(PODS, leftover('one-pod', { deletionTimestamp: new Date(T0).toISOString() }));
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Creating', reason: 'WaitingForRemoval' });
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.cluster.objects(PODS)[0]?.metadata.uid).not.toBe('old-one-pod');
  });
});
