// SPDX-License-Identifier: Apache-2.0
import {
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
  SERVICE_ACCOUNTS,
} from '@agenttier/machinery/kube/resource';
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { beforeEach, describe, expect, it } from 'vitest';
import { refusal } from '../testing/cluster.ts';
import { MINUTE, sandbox, template } from '../testing/fixtures.ts';
import { READY_POD } from '../testing/pods.ts';
import { Scenario } from '../testing/scenario.ts';
let s: Scenario;

beforeEach(() => {
  s = new Scenario();
});

describe('drift', () => {
  it.each([NETWORK_POLICIES, SECRETS, SERVICE_ACCOUNTS])(
    '$kind: deleted or stripped of its labels, it is back at once',
    async (resource) => {
      await s.start();
      const [object] = s.cluster.objects(resource);
      await s.cluster.client.delete(resource, { namespace: 'team', name: object?.metadata.name ?? '' });
      await s.operator.reconcile();
      const [again] = s.cluster.objects(resource);
      expect(again).toBeDefined();
      s.cluster.put(resource, { ...again, metadata: { ...again?.metadata, labels: {} } });
      await s.operator.reconcile();
      expect(s.cluster.objects(resource)[0]?.metadata.labels).toMatchObject({
        'agenttier.io/managed': 'true',
      });
    },
  );

  it('a NetworkPolicy that somebody opened is closed again, also while stopped', async () => {
    await s.start();
    s.desire('Stopped');
    await s.operator.reconcile();
    s.cluster.endPod();
    await s.operator.reconcile();
    const [policy] = s.cluster.objects<KubeObject & { spec: object }>(NETWORK_POLICIES);
    s.cluster.put(NETWORK_POLICIES, {
      ...policy,
      spec: { ...policy?.spec, egress: [{}] },
    } as unknown as KubeObject);
    await s.operator.reconcile();
    expect(s.cluster.objects(NETWORK_POLICIES)[0]).toMatchObject({ spec: policy?.spec });
  });

  it('an edit of spec.network is effective while running', async () => {
    await s.start();
    const edited = sandbox({ spec: { network: { allowInternet: true } } });
    s.cluster.editSandbox((one) => ({ ...one, spec: edited.spec ?? {} }));
    await s.operator.reconcile();
    expect(JSON.stringify(s.cluster.objects(NETWORK_POLICIES)[0])).toContain('0.0.0.0/0');
    expect(
      s.cluster.calls.filter(({ verb, resource }) => verb === 'create' && resource === 'pods'),
    ).toHaveLength(1);
  });

  it('a growing volume is asked to grow, and a refusal does not stop the sandbox', async () => {
    await s.start();
    const edited = sandbox({ spec: { storage: { size: '20Gi' } } });
    s.cluster.before = ({ verb, resource }) => {
      if (verb === 'apply' && resource === 'persistentvolumeclaims')
        throw refusal(403, 'Forbidden', 'class cannot expand');
    };
    s.cluster.editSandbox((one) => ({ ...one, spec: edited.spec ?? {} }));
    await s.operator.reconcile();
    expect(s.condition('VolumeReady')?.message ?? '').not.toBe('');
    expect(s.status().phase).toBe('Running');
    s.cluster.before = undefined;
    s.advance(MINUTE);
    await s.operator.reconcile();
    expect(s.cluster.objects(PERSISTENT_VOLUME_CLAIMS)[0]).toMatchObject({
      spec: { resources: { requests: { storage: '20Gi' } } },
    });
  });

  it.each([403, 422])('nor does it (%i) keep a sandbox from starting again', async (code) => {
    await s.start();
    s.desire('Stopped');
    await s.operator.reconcile();
    s.cluster.endPod();
    await s.operator.reconcile();
    expect(s.status().phase).toBe('Stopped');
    s.cluster.before = ({ verb, resource }) => {
      if (verb === 'apply' && resource === 'persistentvolumeclaims')
        throw refusal(code, 'Forbidden', 'class cannot expand');
    };
    const grown = sandbox({
      chain: [template({ image: { repository: 'x' }, storage: { size: '20Gi' } }, 'grown')],
    });
    s.cluster.editSandbox((one) => ({ ...one, spec: grown.spec ?? {} }));
    await s.operator.reconcile();
    await s.operator.reconcile();
    s.cluster.setPodStatus(READY_POD);
    await s.operator.reconcile();
    expect(s.status().phase).toBe('Running');
    expect(s.condition('VolumeReady')?.status).toBe('True');
  });
});

const spoil = (resolved: unknown): void => {
  const one = sandbox();
  s.put({ ...one, spec: { ...one.spec, resolved } } as Sandbox);
};

describe('spec.resolved', () => {
  it.each([
    ['Unresolved', 'InvalidSpec', () => undefined],
    ['Forged', 'ResolvedForged', (one: object) => ({ ...one, hash: 'f'.repeat(64) })],
  ])('%s: nothing is created', async (reason, word, edit) => {
    spoil(edit(sandbox().spec?.resolved ?? {}));
    await s.operator.reconcile();
    expect(s.status()).toMatchObject({ phase: 'Error', reason: word });
    expect(s.condition('Resolved')).toMatchObject({ status: 'False', reason });
    expect(s.cluster.calls.map(({ verb }) => verb)).toEqual(['patch']);
  });

  it('a sound one later is acted upon without another command', async () => {
    spoil(undefined);
    await s.operator.reconcile();
    s.cluster.editSandbox((one) => ({ ...one, spec: sandbox().spec ?? {} }));
    await s.operator.reconcile();
    expect(s.cluster.objects(PODS)).toHaveLength(1);
  });

  it('a template that moved on is Drifted, and the sandbox stays Ready', async () => {
    await s.start();
    const { metadata, spec } = template({ image: { repository: 'example.test/other' } });
    s.operator.caches.clusterTemplates.applyWatch({
      metadata: { ...metadata, generation: 2, resourceVersion: '2' },
      spec,
    });
    await s.operator.reconcile();
    expect(s.condition('Drifted')?.message).toContain('ClusterSandboxTemplate/base');
    expect(s.condition('Resolved')?.status).toBe('True');
  });
});
