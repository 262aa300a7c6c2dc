// SPDX-License-Identifier: Apache-2.0
import { json, list } from '@agenttier/machinery/testing/scriptedServer';
import { describe, expect, it } from 'vitest';
import { scriptedCluster, sent } from '../testing/scriptedCluster.ts';

const POOLS = '/apis/agenttier.io/v1alpha1/namespaces/team/sandboxwarmpools';
const cluster = scriptedCluster();
const pool = (more: object = {}) => ({
  apiVersion: 'agenttier.io/v1alpha1',
  kind: 'SandboxWarmPool',
  metadata: { name: 'shells', namespace: 'team' },
  spec: { templateRef: { name: 'minimal-shell' }, replicas: 5, ...more },
  status: { free: 4, building: 1 },
});

describe('pool', () => {
  it.each([
    ['pool', 'list'],
    ['pools', 'ls'],
    ['warmpool', 'status'],
  ])('lists with %s %s', async (...args) => {
    cluster.server.on('GET', POOLS, list([pool()]));
    const [head, row] = (await cluster.run(...args)).out.split('\n');
    expect(head?.split(/ +/)).toEqual(['NAME', 'TEMPLATE', 'DESIRED', 'READY', 'PENDING', 'FAILED', 'AGE']);
    expect(row?.split(/ +/).slice(0, 6)).toEqual(['shells', 'minimal-shell', '5', '4', '1', '0']);
  });

  it('creates, scales and deletes', async () => {
    cluster.server
      .on('POST', POOLS, json(pool(), 201))
      .on('PATCH', `${POOLS}/shells`, json(pool({ autoscale: { min: 1, max: 3 } })))
      .on('DELETE', `${POOLS}/shells`, json({}));
    const create = [
      'pool',
      'create',
      'shells',
      '-t',
      'ClusterSandboxTemplate/minimal-shell',
      '--replicas',
      '5',
    ];
    expect((await cluster.run(...create)).out).toBe('sandboxwarmpool.agenttier.io/shells created\n');
    expect(await cluster.run('pool', 'scale', 'shells', '--replicas', '0')).toEqual({
      code: 0,
      out: 'sandboxwarmpool.agenttier.io/shells scaled\n',
      err: 'Warning: pool shells follows demand (spec.autoscale), so replicas has no effect\n',
    });
    expect((await cluster.run('pool', 'delete', 'shells')).out).toBe(
      'sandboxwarmpool.agenttier.io "shells" deleted\n',
    );
    expect(sent(cluster, 'POST')).toMatchObject([
      { spec: { templateRef: { kind: 'ClusterSandboxTemplate', name: 'minimal-shell' }, replicas: 5 } },
    ]);
    expect(sent(cluster, 'PATCH')).toEqual([{ spec: { replicas: 0 } }]);
  });

  it('refuses a number that is none', async () => {
    expect(await cluster.run('pool', 'scale', 'shells', '--replicas', '-1')).toEqual({
      code: 2,
      out: '',
      err: 'error: --replicas: "-1" is not a whole number of zero or more\n',
    });
  });
});
