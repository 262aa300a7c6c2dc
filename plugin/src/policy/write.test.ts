// SPDX-License-Identifier: Apache-2.0
import { json, status } from '@agenttier/machinery/testing/scriptedServer';
import { describe, expect, it } from 'vitest';
import { scriptedCluster, sent } from '../testing/scriptedCluster.ts';

const API = '/apis/agenttier.io/v1alpha1';
const LOCAL = `${API}/namespaces/team/governancepolicies`;
const SHARED = `${API}/clustergovernancepolicies`;
const cluster = scriptedCluster();
const policy = (kind: string) => ({
  apiVersion: 'agenttier.io/v1alpha1',
  kind,
  metadata: { name: 'default' },
});

describe('policy set', () => {
  it('changes single fields of the one that is there', async () => {
    cluster.server.on('PATCH', `${LOCAL}/default`, json(policy('GovernancePolicy')));
    const fields = [
      'maxCpu=4',
      'allowedTemplates=[py, go]',
      'total.memory=64Gi',
      'total.cpu=9',
      'maxTimeout-',
    ];
    expect((await cluster.run('policy', 'set', ...fields)).out).toBe(
      'governancepolicy.agenttier.io/default configured\n',
    );
    expect(sent(cluster, 'PATCH')).toEqual([
      {
        spec: {
          maxCpu: 4,
          allowedTemplates: ['py', 'go'],
          total: { memory: '64Gi', cpu: 9 },
          maxTimeout: null,
        },
      },
    ]);
  });

  it('creates the cluster’s when there is none', async () => {
    cluster.server
      .on('PATCH', `${SHARED}/default`, status(404, { reason: 'NotFound' }))
      .on('POST', SHARED, json(policy('ClusterGovernancePolicy'), 201));
    expect((await cluster.run('policy', 'set', '--cluster', 'requireDigest=true')).out).toBe(
      'clustergovernancepolicy.agenttier.io/default created\n',
    );
    expect(sent(cluster, 'POST')).toMatchObject([{ spec: { requireDigest: true } }]);
  });

  it('replaces it by that of a file', async () => {
    cluster.server.on('PATCH', `${LOCAL}/default`, json(policy('GovernancePolicy')));
    const host = cluster.host();
    host.streams.in.end(JSON.stringify({ ...policy('GovernancePolicy'), spec: { maxCpu: '2' } }));
    await cluster.runOn(host, 'policy', 'set', '-f', '-', '--dry-run');
    expect(sent(cluster, 'PATCH')).toEqual([[{ op: 'add', path: '/spec', value: { maxCpu: '2' } }]]);
    expect(cluster.server.requests[0]?.query.get('dryRun')).toBe('All');
  });

  it.each([
    [[], 'error: name a field, for instance maxCpu=4, or a file with -f\n'],
    [['maxCpu'], 'error: "maxCpu" is neither FIELD=VALUE nor FIELD-\n'],
    [['__proto__.x=1'], 'error: "__proto__.x=1" is neither FIELD=VALUE nor FIELD-\n'],
    [['a=1', '-f', 'x'], 'error: give fields or a file, not both\n'],
  ])('refuses %j', async (fields, err) => {
    expect(await cluster.run('policy', 'set', ...fields)).toEqual({ code: 2, out: '', err });
  });
});

describe('policy get and delete', () => {
  it('prints and deletes the object', async () => {
    cluster.server
      .on('GET', `${LOCAL}/default`, json({ ...policy('GovernancePolicy'), spec: { maxCpu: '2' } }))
      .on('DELETE', `${SHARED}/default`, json({}));
    expect((await cluster.run('policy', 'get')).out).toMatch(/spec:\n {2}maxCpu: "2"\n/);
    expect((await cluster.run('policy', 'delete', '--cluster')).out).toBe(
      'clustergovernancepolicy.agenttier.io "default" deleted\n',
    );
  });
});
