// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { until } from '@agenttier/machinery/testing/until';
import { beforeAll, describe, expect, it } from 'vitest';
import { freshNamespace } from '../../e2e/envtest/server.ts';
import { causes, refusal, useScene } from './envtest/scene.ts';

const scene = useScene();

const greedy = (): object =>
  scene.spec({
    resources: { limits: { cpu: '64', memory: '512Gi' } },
    storage: { size: '2Ti' },
    timeout: '1000h',
  });

describe('a sandbox that breaks the policy', () => {
  let governed: string;
  const expected = [
    'spec.resources.limits.cpu cpu_limit_exceeded',
    'spec.resources.limits.memory memory_limit_exceeded',
    'spec.storage.size storage_limit_exceeded',
    'spec.timeout timeout_exceeded',
  ];

  beforeAll(async () => {
    governed = await freshNamespace('governed');
    const limits = { maxCpu: '2', maxMemory: '4Gi', maxStorage: '5Gi', maxTimeout: '24h' };
    await scene.create('GovernancePolicy', 'default', limits, { namespace: governed });
    const modest = scene.spec({ resources: { limits: { cpu: '64' } } });
    await until(async () => {
      const outcome = await scene
        .create('Sandbox', 'probe', modest, { namespace: governed, dryRun: true })
        .catch(() => 'no');
      return outcome === 'no';
    }, 'the policy to be in force');
  });

  it.each([false, true])('is refused with all four violations (dry run: %s)', async (dryRun) => {
    const error = await refusal(scene.create('Sandbox', 'greedy', greedy(), { namespace: governed, dryRun }));
    expect(error.status).toBe(403);
    expect(causes(error)).toEqual(expected);
    const lines = error.message.split('\n').slice(1);
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^ {2}- spec\.resources\.limits\.cpu: .*64.*2.* \[cpu_limit_exceeded\]$/);
    expect(JSON.parse(error.body?.details?.causes?.[3]?.message ?? '')).toMatchObject({
      limit: '24h',
      actual: '1000h',
      scope: 'namespace',
    });
  });

  it('is clamped with a warning where it leaves the time open', async () => {
    const warnings: string[] = [];
    const options = { namespace: governed, onWarning: (text: string) => void warnings.push(text) };
    const { spec } = await scene.create('Sandbox', 'open-ended', scene.spec(), options);
    expect(spec?.resolved?.spec?.timeout).toBe('24h');
    expect(spec?.timeout).toBeUndefined();
    expect(warnings).toEqual([expect.stringContaining('spec.timeout')]);
  });

  it('may be edited and stopped, but not resumed, when the policy came later', async () => {
    const namespace = await freshNamespace('tightened');
    await scene.create('Sandbox', 'early', scene.spec({ resources: { limits: { cpu: '8' } } }), {
      namespace,
    });
    await scene.create('GovernancePolicy', 'default', { maxCpu: '1' }, { namespace });
    const change = (spec: object): Promise<Sandbox> =>
      scene.client.patch<Sandbox>(SANDBOXES, { namespace, name: 'early' }, { type: 'merge', body: { spec } });
    await until(
      () =>
        scene.create('Sandbox', 'late', scene.spec(), { namespace, dryRun: true }).then(
          () => false,
          () => true,
        ),
      'the policy to be in force',
    );
    expect((await change({ env: [{ name: 'A', value: 'b' }] })).spec?.resolved?.spec?.env).toHaveLength(1);
    expect(causes(await refusal(change({ resources: { limits: { cpu: '7' } } })))).toEqual([expected[0]]);
    await change({ desiredState: 'Stopped' });
    expect(causes(await refusal(change({ desiredState: 'Running' })))).toEqual([expected[0]]);
    await change({ desiredState: 'Running', resources: { requests: { cpu: '500m' }, limits: { cpu: '1' } } });
  });
});
