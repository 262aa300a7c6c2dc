// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { KubeError } from '@agenttier/machinery/kube/errors';
import { PODS, SECRETS } from '@agenttier/machinery/kube/resource';
import type { Secret } from '../core.ts';
import { isPlanSecret, projectedSecrets } from '../harness/secrets.ts';
import { sandbox } from '../testing/fixtures.ts';
import { READY_POD } from '../testing/pods.ts';
import { Scenario } from '../testing/scenario.ts';

const spec = (content: string) => ({ files: [{ path: 'a.txt', content }], initScripts: ['echo one'] });

const plans = (scene: Scenario): string[] =>
  scene.cluster
    .objects<Secret>(SECRETS)
    .filter(isPlanSecret)
    .map(({ metadata }) => metadata.name ?? '');

/** As an edit through admission: spec and what it comes to. */
function edit(scene: Scenario, content: string): void {
  const after = sandbox({ spec: spec(content) }).spec ?? {};
  scene.cluster.editSandbox((one) => ({
    ...one,
    spec: { ...after, desiredState: one.spec?.desiredState } as never,
  }));
}

describe('what a start brings in', () => {
  it('is there before the pod that mounts it', async () => {
    const scene = new Scenario();
    scene.apply({ spec: spec('x') });
    await scene.operator.reconcile();
    const order = scene.cluster.calls.filter(({ verb }) => verb === 'create').map(({ name }) => name);
    const [plan = ''] = plans(scene);
    expect(order.indexOf(plan)).toBeGreaterThanOrEqual(0);
    expect(order.indexOf(plan)).toBeLessThan(order.indexOf('one-pod'));
    expect([...projectedSecrets(scene.cluster.pod())]).toEqual([plan]);
  });

  it('comes back when somebody deletes it while the pod still starts', async () => {
    const scene = new Scenario();
    scene.apply({ spec: spec('x') });
    await scene.operator.reconcile();
    const [plan = ''] = plans(scene);
    await scene.cluster.client.delete(SECRETS, { namespace: 'team', name: plan });
    await scene.operator.reconcile();
    expect(plans(scene)).toEqual([plan]);
  });

  it('changes with the next start only, and what no pod uses any more is removed', async () => {
    const scene = new Scenario();
    await scene.start({ spec: spec('x') });
    const [first = ''] = plans(scene);
    edit(scene, 'y');
    await scene.operator.reconcile();
    expect(plans(scene)).toEqual([first]);
    scene.desire('Stopped');
    await scene.operator.reconcile();
    scene.cluster.endPod();
    await scene.operator.reconcile();
    scene.desire('Running');
    await scene.operator.reconcile();
    scene.cluster.setPodStatus(READY_POD);
    await scene.operator.reconcile();
    const [second = ''] = plans(scene);
    expect(plans(scene)).toHaveLength(1);
    expect(second).not.toBe(first);
    expect([...projectedSecrets(scene.cluster.objects(PODS)[0] as never)]).toEqual([second]);
  });

  it('does not make a pod while its Secret is refused', async () => {
    const scene = new Scenario();
    scene.apply({ spec: spec('x') });
    scene.cluster.before = ({ verb, name }) => {
      if (verb === 'create' && name.includes('-plan-'))
        throw new KubeError({ status: 403, reason: 'Forbidden', message: 'quota' });
    };
    await scene.operator.settle();
    expect(scene.cluster.pod()).toBeUndefined();
    expect(scene.condition('PodReady')?.message).toContain('Secret with files and scripts');
  });
});

describe('an init container that fails', () => {
  it('is named by what it says itself', async () => {
    const scene = new Scenario();
    scene.apply({ spec: spec('x') });
    await scene.operator.reconcile();
    const message = 'init script 1 of 1 (echo one) ended with exit code 7: no network';
    scene.cluster.setPodStatus({
      phase: 'Failed',
      initContainerStatuses: [
        { name: 'agenttier-init', state: { terminated: { exitCode: 0 } } },
        { name: 'agenttier-init-scripts', state: { terminated: { exitCode: 7, reason: 'Error', message } } },
      ],
    });
    await scene.operator.reconcile();
    expect(scene.status()).toMatchObject({ phase: 'Error', reason: 'InitFailed', message });
  });
});
