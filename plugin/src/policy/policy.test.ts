// SPDX-License-Identifier: Apache-2.0
import { json, ScriptedServer, status } from '@agenttier/machinery/testing/scriptedServer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeHost, type PluginRun, runWith, writeKubeconfig } from '../testing/fakeHost.ts';

const API = '/apis/agenttier.io/v1alpha1';
const policy = {
  apiVersion: 'agenttier.io/v1alpha1',
  kind: 'GovernancePolicy',
  metadata: { name: 'default' },
};
let server: ScriptedServer;
const run = async (...args: string[]): Promise<PluginRun> =>
  runWith(fakeHost({ variables: { KUBECONFIG: await writeKubeconfig(server.access().server) } }), ...args);

beforeEach(async () => {
  server = await ScriptedServer.start();
});
afterEach(() => server.close());

function policies(): void {
  server
    .on(
      'GET',
      `${API}/clustergovernancepolicies/default`,
      json({ ...policy, spec: { maxCpu: '4', allowedTemplates: ['py', 'go'], maxSandboxesPerUser: 3 } }),
    )
    .on(
      'GET',
      `${API}/namespaces/team/governancepolicies/default`,
      json({
        ...policy,
        spec: { maxCpu: '2', allowedTemplates: ['py'], total: { cpu: '10' } },
        status: { used: { sandboxes: 4, cpu: '7500m', perUser: { ann: 3 } } },
      }),
    );
}

describe('policy effective', () => {
  it('lists every limit with its scope', async () => {
    policies();
    expect((await run('policy', 'effective')).out).toBe(
      [
        'FIELD                 LIMIT    SCOPE',
        'maxCpu                2        namespace',
        'allowedTemplates      py, go   cluster',
        'allowedTemplates      py       namespace',
        'maxSandboxesPerUser   3        cluster',
        'total.cpu             10       namespace',
        '',
      ].join('\n'),
    );
  });

  it('prints what REST answers', async () => {
    policies();
    const { out } = await run('policy', 'effective', '-n', 'team', '-o', 'json');
    expect(JSON.parse(out)).toMatchObject({
      namespace: 'team',
      policy: { maxCpu: '2', allowedTemplates: ['py'] },
    });
  });

  it('says when there is none, and fails when it may not know', async () => {
    expect(await run('policy', 'effective')).toEqual({
      code: 0,
      out: '',
      err: 'No policy limits namespace team\n',
    });
    await server.close();
    server = await ScriptedServer.start();
    server.on('GET', /policies/, status(403, { reason: 'Forbidden', message: 'no' }));
    expect(await run('policy', 'usage')).toMatchObject({ code: 1, out: '' });
  });
});

describe('policy usage', () => {
  it('prints used, limit and what is left', async () => {
    policies();
    expect((await run('policy', 'usage')).out).toBe(
      [
        'SCOPE   COUNTED            USED    LIMIT    LEFT',
        'team    sandboxes          4       <none>   <none>',
        'team    cpu                7500m   10       2500m',
        'team    sandboxes of ann   3       <none>   <none>',
        '',
      ].join('\n'),
    );
  });

  it('prints JSON', async () => {
    policies();
    const { out } = await run(
      'policies',
      'usage',
      '-o',
      'jsonpath={.scopes[0].rows[?(@.dimension=="cpu")].left}',
    );
    expect(out).toBe('2500m');
    expect((await run('policy', 'usage', '-o', 'name')).code).toBe(1);
  });
});
