// SPDX-License-Identifier: Apache-2.0
import { json, ScriptedServer, status } from '@agenttier/machinery/testing/scriptedServer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeHost, type PluginRun, runWith, writeKubeconfig } from '../testing/fakeHost.ts';
import { valueText } from './valueText.ts';

const API = '/apis/agenttier.io/v1alpha1';
let server: ScriptedServer;
const run = async (...args: string[]): Promise<PluginRun> =>
  runWith(fakeHost({ variables: { KUBECONFIG: await writeKubeconfig(server.access().server) } }), ...args);

beforeEach(async () => {
  server = await ScriptedServer.start();
});
afterEach(() => server.close());

const spec = {
  image: { repository: 'ghcr.io/acme/py', tag: '3' },
  resources: { limits: { cpu: '2', 'nvidia.com/gpu': '1' } },
  env: [
    { name: 'A', value: '1' },
    { name: 'B.C', value: 'two' },
  ],
  credentials: [{ secretName: 's', mountAs: 'env' }],
  initScripts: ['echo a', 'echo b'],
  network: { allowInternet: false, egressRules: [{ cidr: '10.0.0.0/8' }] },
};

describe('valueText', () => {
  it.each([
    [{ name: 'B.C', value: 'two' }, 'two'],
    [[{ cidr: '10.0.0.0/8' }], '[{"cidr":"10.0.0.0/8"}]'],
    [false, 'false'],
    [undefined, ''],
  ])('%j', (value, text) => expect(valueText(value)).toBe(text));
});

const policy = {
  apiVersion: 'agenttier.io/v1alpha1',
  kind: 'GovernancePolicy',
  metadata: { name: 'default' },
};

describe('explain sandbox', () => {
  const sandbox = {
    apiVersion: 'agenttier.io/v1alpha1',
    kind: 'Sandbox',
    metadata: { name: 'demo', namespace: 'team' },
    spec: {
      resolved: {
        hash: 'abc',
        chain: [
          { kind: 'ClusterSandboxTemplate', name: 'base' },
          { kind: 'SandboxTemplate', namespace: 'team', name: 'python' },
        ],
        origins: {
          'image.repository': 'ClusterSandboxTemplate/base',
          'image.tag': 'SandboxTemplate/team/python',
          'resources.limits.cpu': 'Sandbox',
          'env[A]': 'SandboxTemplate/team/python',
          timeout: 'policy',
        },
        spec: { ...spec, timeout: '8h' },
      },
    },
  };

  it('prints every field with its value, the layer it came from and the limit on it', async () => {
    server
      .on('GET', `${API}/namespaces/team/sandboxes/demo`, json(sandbox))
      .on('GET', `${API}/clustergovernancepolicies/default`, json({ ...policy, spec: { maxTimeout: '8h' } }))
      .on(
        'GET',
        `${API}/namespaces/team/governancepolicies/default`,
        json({
          ...policy,
          spec: { maxCpu: '3', maxSandboxesTotal: 5 },
          status: { used: { sandboxes: 2 } },
        }),
      );
    expect((await run('explain', 'sandbox', 'demo')).out).toBe(
      [
        'Sandbox demo',
        'Templates (root first): ClusterSandboxTemplate/base <- SandboxTemplate/team/python',
        '',
        'FIELD                  VALUE             ORIGIN                        LIMIT                     HEADROOM',
        'image.repository       ghcr.io/acme/py   ClusterSandboxTemplate/base   <none>                    <none>',
        'image.tag              3                 SandboxTemplate/team/python   <none>                    <none>',
        'resources.limits.cpu   2                 Sandbox                       3 (namespace maxCpu)      1',
        'env[A]                 1                 SandboxTemplate/team/python   <none>                    <none>',
        'timeout                8h                policy                        8h (cluster maxTimeout)   0',
        '',
        'Counted by policy:',
        'SCOPE   COUNTED     USED   LIMIT   LEFT',
        'team    sandboxes   2      5       3',
        '',
      ].join('\n'),
    );
  });

  it('prints JSON and templates for programs', async () => {
    server.on('GET', `${API}/namespaces/team/sandboxes/demo`, json(sandbox));
    const path = '{.fields[?(@.field=="timeout")].origin} {.hash}';
    expect((await run('explain', 'sandbox', 'demo', '-o', `jsonpath=${path}`)).out).toBe('policy abc');
    expect(JSON.parse((await run('explain', 'sbx', 'demo', '-o', 'json')).out)).toMatchObject({
      kind: 'Sandbox',
      name: 'demo',
      namespace: 'team',
      chain: ['ClusterSandboxTemplate/base', 'SandboxTemplate/team/python'],
    });
  });

  it('says that limits are not shown to somebody who may not read policies', async () => {
    server
      .on('GET', `${API}/namespaces/team/sandboxes/demo`, json(sandbox))
      .on('GET', /policies/, status(403, { reason: 'Forbidden' }));
    const { code, out } = await run('explain', 'sandbox', 'demo');
    expect(code).toBe(0);
    expect(out).toContain('\nPolicies: not shown, you may not read them\n');
  });

  it('says why there may be nothing to explain', async () => {
    server.on('GET', `${API}/namespaces/team/sandboxes/demo`, json({ ...sandbox, spec: {} }));
    expect((await run('explain', 'sandbox', 'demo')).err).toMatch(
      /^error: sandbox "demo" has no resolved spec/,
    );
  });
});

const template = (kind: string, name: string, of: Record<string, unknown>, namespace?: string) =>
  json({
    apiVersion: 'agenttier.io/v1alpha1',
    kind,
    metadata: { name, ...(namespace ? { namespace } : {}) },
    spec: of,
  });

describe('explain template', () => {
  beforeEach(() => {
    server
      .on(
        'GET',
        `${API}/clustersandboxtemplates/base`,
        template('ClusterSandboxTemplate', 'base', {
          image: { repository: 'debian', tag: '12' },
          env: [{ name: 'A', value: '1' }],
        }),
      )
      .on(
        'GET',
        `${API}/clustersandboxtemplates/loop`,
        template('ClusterSandboxTemplate', 'loop', {
          inheritsFrom: { name: 'loop', kind: 'ClusterSandboxTemplate' },
        }),
      )
      .on(
        'GET',
        `${API}/namespaces/team/sandboxtemplates/python`,
        template(
          'SandboxTemplate',
          'python',
          { inheritsFrom: { name: 'base' }, image: { tag: '13' }, resources: { limits: { cpu: '2' } } },
          'team',
        ),
      );
  });

  it('merges the chain as admission does', async () => {
    const { code, out } = await run('explain', 'template', 'python', '-o', 'json');
    expect(code).toBe(0);
    const explained = JSON.parse(out) as {
      chain: string[];
      fields: { field: string; value: unknown; origin: string }[];
    };
    expect(explained.chain).toEqual(['ClusterSandboxTemplate/base', 'SandboxTemplate/team/python']);
    expect(Object.fromEntries(explained.fields.map((one) => [one.field, [one.value, one.origin]]))).toEqual({
      'image.repository': ['debian', 'ClusterSandboxTemplate/base'],
      'image.tag': ['13', 'SandboxTemplate/team/python'],
      'resources.limits.cpu': ['2', 'SandboxTemplate/team/python'],
      'env[A]': [{ name: 'A', value: '1' }, 'ClusterSandboxTemplate/base'],
    });
  });

  it.each([
    ['nope', /nope.* does not exist/],
    ['ClusterSandboxTemplate/loop', /circle/],
  ])('reports %s', async (name, message) => {
    const { code, err } = await run('explain', 'template', name);
    expect(code).toBe(1);
    expect(err).toMatch(message);
  });
});
