// SPDX-License-Identifier: Apache-2.0
import { json, list, ScriptedServer, status } from '@agenttier/machinery/testing/scriptedServer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeHost, type PluginRun, runWith, writeKubeconfig } from '../testing/fakeHost.ts';

const API = '/apis/agenttier.io/v1alpha1';
const python = {
  metadata: {
    name: 'python',
    namespace: 'team',
    creationTimestamp: new Date(Date.now() - 90_000).toISOString(),
  },
  spec: { inheritsFrom: { name: 'base' }, image: { repository: 'py', tag: '3' }, description: 'Python' },
};
const base = {
  metadata: { name: 'base', creationTimestamp: python.metadata.creationTimestamp },
  spec: { image: { repository: 'debian' } },
};

let server: ScriptedServer;
let variables: Record<string, string>;
const run = (...args: string[]): Promise<PluginRun> => runWith(fakeHost({ variables }), ...args);

beforeEach(async () => {
  server = await ScriptedServer.start();
  variables = { KUBECONFIG: await writeKubeconfig(server.access().server) };
});
afterEach(() => server.close());

describe('template', () => {
  it('lists those of the cluster and of the namespace', async () => {
    server
      .on('GET', `${API}/clustersandboxtemplates`, list([base]))
      .on('GET', `${API}/namespaces/team/sandboxtemplates`, list([python]));
    const { out } = await run('template', 'list');
    expect(out.split('\n').map((line) => line.split(/ {3,}/).slice(0, 4))).toEqual([
      ['NAME', 'SCOPE', 'IMAGE', 'PARENT'],
      ['base', 'cluster', 'debian', '<none>'],
      ['python', 'team', 'py:3', 'base'],
      [''],
    ]);
    expect((await run('template', 'list', '-o', 'name')).out).toBe(
      'clustersandboxtemplate.agenttier.io/base\nsandboxtemplate.agenttier.io/python\n',
    );
  });

  it('finds a bare name in the namespace first, then in the cluster', async () => {
    server.on(
      'GET',
      `${API}/namespaces/team/sandboxtemplates/python`,
      json({ kind: 'SandboxTemplate', ...python }),
    );
    server.on(
      'GET',
      `${API}/clustersandboxtemplates/base`,
      json({ kind: 'ClusterSandboxTemplate', ...base }),
    );
    expect((await run('template', 'get', 'python', '-o', 'jsonpath={.kind}')).out).toBe('SandboxTemplate');
    expect((await run('template', 'get', 'base', '-o', 'jsonpath={.kind}')).out).toBe(
      'ClusterSandboxTemplate',
    );
    expect(server.requests.map(({ path }) => path.split('/').at(-2))).toEqual([
      'sandboxtemplates',
      'sandboxtemplates',
      'clustersandboxtemplates',
    ]);
  });

  it('fails for one that is not there', async () => {
    server.on(
      'GET',
      /./,
      status(404, { reason: 'NotFound', message: 'clustersandboxtemplates.agenttier.io "x" not found' }),
    );
    expect(await run('template', 'get', 'x')).toEqual({
      code: 1,
      out: '',
      err: 'Error from server (NotFound): clustersandboxtemplates.agenttier.io "x" not found\n',
    });
  });
});

const review = (username: string) =>
  json({ status: { userInfo: { username, groups: ['system:authenticated'] } } }, 201);

describe('whoami', () => {
  it('tells both identities', async () => {
    server.on('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', review('ada'));
    server.on(
      'GET',
      '/api/v1/user/me',
      json({ sub: 'u1', email: 'ada@example.org', groups: null, isAdmin: true }),
    );
    variables = { ...variables, AGENTTIER_API_URL: server.access().server, AGENTTIER_API_KEY: 'atk_secret' };
    expect(await run('whoami')).toEqual({
      code: 0,
      err: '',
      out: 'Kubernetes: ada (groups: system:authenticated)\nRouter: ada@example.org (u1, administrator)\n',
    });
  });

  it('asks a 1.27 server in its own version', async () => {
    server.on('POST', '/apis/authentication.k8s.io/v1beta1/selfsubjectreviews', review('ada'));
    expect(JSON.parse((await run('whoami', '-o', 'json')).out)).toEqual({
      kubernetes: { username: 'ada', groups: ['system:authenticated'] },
    });
  });

  it('does with the router alone', async () => {
    server.on('GET', '/api/v1/user/me', json({ sub: 'u1', groups: [] }));
    variables = { AGENTTIER_API_URL: server.access().server, AGENTTIER_API_KEY: 'atk_secret' };
    expect((await run('whoami')).out).toBe('Router: u1 (u1)\n');
  });
});

describe('version', () => {
  it('tells its own and the cluster’s', async () => {
    server.on('GET', '/version', json({ gitVersion: 'v1.34.4' }));
    expect((await run('version')).out).toMatch(/^Client: agenttier v\d+\.\d+\.\d+\nKubernetes: v1\.34\.4\n$/);
    expect((await run('version', '--client')).out).toMatch(/^Client: agenttier v[\d.]+\n$/);
  });

  it('tells its own also when the cluster is away', async () => {
    const { code, out, err } = await runWith(fakeHost(), 'version');
    expect(code).toBe(1);
    expect(out).toMatch(/^Client: /);
    expect(err).toMatch(/^error: no cluster is configured/);
  });
});
