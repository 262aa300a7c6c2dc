// SPDX-License-Identifier: Apache-2.0
import { json } from '@agenttier/machinery/testing/scriptedServer';
import { describe, expect, it } from 'vitest';
import { scriptedRouter } from '../testing/scriptedRouter.ts';

const router = scriptedRouter();

describe('cluster', () => {
  it('shows the glance, the nodes and the placeholders', async () => {
    const amount = (cpuMillis: number, memBytes: number) => ({ cpuMillis, memBytes });
    const nodes = [
      { name: 'n1', ready: true, allocatable: amount(4000, 100), requests: amount(1000, 50) },
      { name: 'n2', ready: false, nodeGroup: 'spot', allocatable: amount(0, 0), requests: amount(0, 0) },
    ];
    router.server
      .on('GET', '/api/v1/cluster/status', json({ nodes: 2, autoscalerEnabled: false }))
      .on('GET', '/api/v1/cluster/nodes', json({ nodes, summary: {} }))
      .on('*', '/api/v1/cluster/headroom', json({ replicas: 2, enabled: true }));
    expect((await router.run('cluster', 'status')).out).toBe('nodes: 2\nautoscalerEnabled: false\n');
    expect((await router.run('cluster', 'nodes')).out).toBe(
      [
        'NAME   READY   INSTANCE-TYPE   NODE-GROUP   CPU   MEMORY',
        'n1     true    <none>          <none>       25%   50%',
        'n2     false   <none>          spot         0%    0%',
        '',
      ].join('\n'),
    );
    expect((await router.run('cluster', 'headroom')).out).toBe('replicas: 2\nenabled: true\n');
    await router.run('cluster', 'headroom', '--replicas', '2', '--cpu', '500m');
    expect(router.asked().at(-1)).toEqual(['PUT /cluster/headroom', { replicas: 2, cpu: '500m' }]);
  });

  it.each([
    [['--cpu', '1'], 'error: --cpu and --memory need --replicas\n'],
    [['--replicas', 'two'], 'error: --replicas: "two" is not a whole number\n'],
  ])('refuses %j', async (flags, err) => {
    expect(await router.run('cluster', 'headroom', ...flags)).toEqual({ code: 2, out: '', err });
  });
});
