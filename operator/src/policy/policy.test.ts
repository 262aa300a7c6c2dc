// SPDX-License-Identifier: Apache-2.0
import type { ClusterGovernancePolicy, GovernancePolicy, PolicySpec } from '@agenttier/crds/generated/types';
import { findCondition } from '@agenttier/crds/meta/conditions';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { describe, expect, it } from 'vitest';
import { createCaches } from '../caches.ts';
import { sandbox } from '../testing/fixtures.ts';
import { Scenario } from '../testing/scenario.ts';
import { reconcilePolicy } from './controller.ts';

const cluster = (spec: PolicySpec): ClusterGovernancePolicy => ({
  metadata: { name: 'default', generation: 3, uid: 'c' },
  spec,
});
const local = (spec: PolicySpec, namespace = 'team'): GovernancePolicy => ({
  metadata: { name: 'default', namespace, generation: 1, uid: namespace },
  spec,
});

const cpu = (amount: string) => ({ resources: { limits: { cpu: amount } } });

async function counted(key: string, policies: readonly (ClusterGovernancePolicy | GovernancePolicy)[]) {
  const caches = createCaches();
  for (const one of policies) {
    (one.metadata.namespace ? caches.policies : caches.clusterPolicies).applyWatch(one);
  }
  for (let i = 0; i < 300; i++) {
    const one = sandbox({ name: `s${i}`, uid: `u${i}`, spec: cpu(i < 100 ? '8' : '1') });
    const namespace = i % 2 === 0 ? 'team' : 'other';
    caches.sandboxes.applyWatch({ ...one, metadata: { ...one.metadata, namespace } });
  }
  const patches: unknown[] = [];
  const patch = async (...args: unknown[]): Promise<never> => {
    patches.push((args[2] as { body: unknown }).body);
    return undefined as never;
  };
  await reconcilePolicy({ client: { patch }, caches, log: silentLogger }, key);
  return patches;
}

describe('status.wouldViolate', () => {
  it('counts for the cluster everywhere, for a namespace its own', async () => {
    const both = [cluster({ maxCpu: '4' }), local({ maxCpu: '2' })];
    // In team the tighter policy of the namespace is the one that binds.
    expect(await counted('', both)).toEqual([{ status: { wouldViolate: 50, observedGeneration: 3 } }]);
    expect(await counted('team', both)).toEqual([{ status: { wouldViolate: 50, observedGeneration: 1 } }]);
    expect(await counted('', [cluster({ maxCpu: '4' })])).toMatchObject([{ status: { wouldViolate: 100 } }]);
  });

  it('is not written again when it says so already', async () => {
    const known = { ...cluster({ maxCpu: '4' }), status: { wouldViolate: 100, observedGeneration: 3 } };
    expect(await counted('', [known])).toEqual([]);
    expect(await counted('gone', [])).toEqual([]);
  });
});

describe('the condition PolicyCompliant', () => {
  it('comes with the first violation, stays, and does not stop the sandbox', async () => {
    const scenario = new Scenario();
    await scenario.start({ spec: cpu('8') });
    expect(scenario.condition('PolicyCompliant')).toBeUndefined();
    scenario.operator.caches.clusterPolicies.applyWatch(cluster({ maxCpu: '2' }));
    await scenario.operator.reconcile();
    expect(scenario.condition('PolicyCompliant')).toMatchObject({
      status: 'False',
      reason: 'cpu_limit_exceeded',
      message: expect.stringContaining('at the next resume'),
    });
    expect(scenario.status().phase).toBe('Running');
    expect(findCondition(scenario.status().conditions, 'Ready')?.status).toBe('True');
    scenario.operator.caches.clusterPolicies.applyWatch({ ...cluster({ maxCpu: '16' }) });
    await scenario.operator.reconcile();
    expect(scenario.condition('PolicyCompliant')).toMatchObject({ status: 'True', reason: 'Compliant' });
  });
});
