// SPDX-License-Identifier: Apache-2.0
import { json, status } from '@agenttier/machinery/testing/scriptedServer';
import { describe, expect, it } from 'vitest';
import { scriptedCluster, sent } from '../testing/scriptedCluster.ts';

const DEMO = '/apis/agenttier.io/v1alpha1/namespaces/team/sandboxes/demo';
const demo = { apiVersion: 'agenttier.io/v1alpha1', kind: 'Sandbox', metadata: { name: 'demo' }, spec: {} };
const cluster = scriptedCluster();

describe('patch', () => {
  it('sends what the flags say and nothing else, before or after the name', async () => {
    cluster.server.on('PATCH', DEMO, json(demo));
    const change = ['--cpu', '4', '--memory-request', '1Gi', '--idle-timeout', '2h', '--no-auto-resume'];
    const labels = ['--label', 'team=red', '--label', 'old-', '--annotation', 'note=a=b'];
    expect(await cluster.run('patch', ...change, 'demo', ...labels)).toEqual({
      code: 0,
      out: 'sandbox.agenttier.io/demo patched\n',
      err: '',
    });
    expect(sent(cluster, 'PATCH')).toEqual([
      {
        metadata: { labels: { team: 'red', old: null }, annotations: { note: 'a=b' } },
        spec: {
          idleTimeout: '2h',
          autoResume: false,
          resources: { limits: { cpu: '4' }, requests: { memory: '1Gi' } },
        },
      },
    ]);
    expect(cluster.server.requests[0]?.query.get('fieldValidation')).toBe('Strict');
  });

  it('leaves auto-resume alone unless it is asked for', async () => {
    cluster.server.on('PATCH', DEMO, json(demo));
    await cluster.run('patch', 'demo', '--timeout', '1h', '--dry-run');
    expect(sent(cluster, 'PATCH')).toEqual([{ spec: { timeout: '1h' } }]);
    expect(cluster.server.requests[0]?.query.get('dryRun')).toBe('All');
  });

  it.each([
    [
      ['patch', 'demo'],
      'error: nothing to change: give at least one flag, see kubectl agenttier patch --help\n',
    ],
    [['patch', 'demo', '--label', 'x'], 'error: --label: "x" is neither NAME=VALUE nor NAME-\n'],
  ])('refuses %j as a mistake on the command line', async (args, err) => {
    expect(await cluster.run(...args)).toEqual({ code: 2, out: '', err });
  });

  it('tells what the server refuses', async () => {
    cluster.server.on('PATCH', DEMO, status(403, { reason: 'Forbidden', message: 'no' }));
    expect(await cluster.run('patch', 'demo', '--timeout', '1h')).toEqual({
      code: 1,
      out: '',
      err: 'Error from server (Forbidden): no\n',
    });
  });
});
