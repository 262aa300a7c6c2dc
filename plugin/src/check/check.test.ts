// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cut, json, type Reply, ScriptedServer, status } from '@agenttier/machinery/testing/scriptedServer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeHost, fakeHost, type PluginRun, runWith, writeKubeconfig } from '../testing/fakeHost.ts';

const SANDBOXES = '/apis/agenttier.io/v1alpha1/namespaces/team/sandboxes';
const sandboxYaml = (name: string): string =>
  `apiVersion: agenttier.io/v1alpha1\nkind: Sandbox\nmetadata:\n  name: ${name}\nspec:\n  templateRef: {name: python}\n`;
const echo: Reply = (response, request) => json(JSON.parse(request.body))(response, request);
const refusal = (code: number, reason: string, field: string, message: string): Reply =>
  status(code, {
    reason: code === 422 ? 'Invalid' : 'Forbidden',
    message: 'refused',
    causes: [{ reason, field, message }],
  });

const object = (kind: string, name: string, api = 'v1') => ({
  apiVersion: api,
  kind,
  metadata: { name },
});

const stored = (spec: object): Reply => json({ ...object('ClusterSandboxTemplate', 'python'), spec });

let server: ScriptedServer;
let host: FakeHost;

async function check(input: string, ...args: string[]): Promise<PluginRun> {
  host = fakeHost({ variables: { KUBECONFIG: await writeKubeconfig(server.access().server) } });
  host.streams.in.end(input);
  return runWith(host, 'check', '-f', '-', ...args);
}

beforeEach(async () => {
  server = await ScriptedServer.start();
});
afterEach(() => server.close());

describe('check', () => {
  it('has every document judged by a server-side dry run of apply, as it stands', async () => {
    server
      .on('PATCH', `${SANDBOXES}/a`, echo)
      .on('PATCH', '/apis/agenttier.io/v1alpha1/clustersandboxtemplates/other', echo);
    const template =
      'apiVersion: agenttier.io/v1alpha1\nkind: ClusterSandboxTemplate\nmetadata: {name: other}\nspec: {}\n';
    expect(await check(`# first\n${template}---\n---\n${sandboxYaml('a')}`)).toEqual({
      code: 0,
      err: '',
      out: 'clustersandboxtemplate.agenttier.io/other: allowed (-:2)\nsandbox.agenttier.io/a in team: allowed (-:8)\n',
    });
    const writes = server.requests.filter(({ method }) => method === 'PATCH');
    expect(writes.map(({ query }) => Object.fromEntries(query))).toEqual([
      { dryRun: 'All', fieldManager: 'kubectl-agenttier', fieldValidation: 'Strict', force: 'true' },
      { dryRun: 'All', fieldManager: 'kubectl-agenttier', fieldValidation: 'Strict', force: 'true' },
    ]);
  });

  it('answers 1 when any is refused, with each violation and warning on its own line', async () => {
    server.on('PATCH', `${SANDBOXES}/good`, (response, request) =>
      json(JSON.parse(request.body), 200, { warning: '299 - "timeout clamped to 8h"' })(response, request),
    );
    const numbers = JSON.stringify({ message: 'is over the maximum', limit: '4', actual: '8' });
    server.on(
      'PATCH',
      `${SANDBOXES}/bad`,
      refusal(403, 'cpu_limit_exceeded', 'spec.resources.limits.cpu', numbers),
    );
    expect(await check(`${sandboxYaml('good')}---\n${sandboxYaml('bad')}`)).toEqual({
      code: 1,
      err: '',
      out: [
        'sandbox.agenttier.io/good in team: allowed (-:1)',
        '  warning: timeout clamped to 8h',
        'sandbox.agenttier.io/bad in team: refused (-:8)',
        '  spec.resources.limits.cpu: is over the maximum (limit 4, actual 8) [cpu_limit_exceeded]',
        '',
      ].join('\n'),
    });
  });

  it('prints JSON for programs', async () => {
    server.on(
      'PATCH',
      `${SANDBOXES}/bad`,
      refusal(422, 'field_not_supported', 'spec.sidecars', 'comes later'),
    );
    const { code, out } = await check(sandboxYaml('bad'), '-o', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({
      allowed: false,
      verdicts: [
        {
          file: '-',
          index: 0,
          line: 1,
          apiVersion: 'agenttier.io/v1alpha1',
          kind: 'Sandbox',
          namespace: 'team',
          name: 'bad',
          allowed: false,
          judgedBy: 'cluster',
          violations: [{ code: 'field_not_supported', field: 'spec.sidecars', message: 'comes later' }],
          warnings: [],
        },
      ],
    });
  });

  describe('of a template in the same input', () => {
    const template =
      'apiVersion: agenttier.io/v1alpha1\nkind: ClusterSandboxTemplate\nmetadata: {name: python}\nspec: {image: {repository: ghcr.io/acme/py}, timeout: 4h}\n';
    const TEMPLATE = '/apis/agenttier.io/v1alpha1/clustersandboxtemplates/python';
    const POLICY = '/apis/agenttier.io/v1alpha1/clustergovernancepolicies/default';
    const missing = refusal(
      422,
      'template_not_found',
      'spec.templateRef.name',
      'template python does not exist',
    );
    it('judges the sandbox with that one and says so', async () => {
      server.on('PATCH', TEMPLATE, echo).on('PATCH', `${SANDBOXES}/a`, missing);
      const { code, out } = await check(`${sandboxYaml('a')}---\n${template}`);
      expect({ code, out }).toEqual({
        code: 0,
        out: [
          'sandbox.agenttier.io/a in team: allowed (-:1)',
          '  note: judged with ClusterSandboxTemplate/python of this input',
          'clustersandboxtemplate.agenttier.io/python: allowed (-:8)',
          '',
        ].join('\n'),
      });
    });

    it('holds it against the policy of the cluster, and keeps what else the cluster objects to', async () => {
      server
        .on('PATCH', TEMPLATE, echo)
        .on(
          'GET',
          POLICY,
          json({ ...object('ClusterGovernancePolicy', 'default'), spec: { maxTimeout: '2h' } }),
        );
      server.on(
        'PATCH',
        `${SANDBOXES}/a`,
        status(403, {
          reason: 'Forbidden',
          message: 'refused',
          causes: [
            { reason: 'template_not_found', field: 'spec.templateRef.name', message: 'no' },
            { reason: 'namespace_quota_exceeded', field: 'metadata.namespace', message: 'full' },
          ],
        }),
      );
      const { code, out } = await check(`${template}---\n${sandboxYaml('a')}`, '-o', 'json');
      expect(code).toBe(1);
      const { verdicts } = JSON.parse(out) as {
        verdicts: { judgedBy: string; violations: { code: string }[] }[];
      };
      expect(verdicts.map(({ judgedBy }) => judgedBy)).toEqual(['cluster', 'input']);
      expect(verdicts[1]?.violations.map(({ code }) => code)).toEqual([
        'namespace_quota_exceeded',
        'timeout_exceeded',
      ]);
    });

    it('leaves it to the cluster when that has the same template, and not when it has another', async () => {
      server
        .on('PATCH', TEMPLATE, echo)
        .on('PATCH', `${SANDBOXES}/a`, echo)
        .on(
          'GET',
          TEMPLATE,
          stored({ image: { repository: 'ghcr.io/acme/py' }, timeout: '4h' }),
          stored({ image: { repository: 'ghcr.io/acme/py' } }),
        );
      const input = `${template}---\n${sandboxYaml('a')}`;
      expect((await check(input)).out).not.toContain('note:');
      expect((await check(input)).out).toContain(
        'note: judged with ClusterSandboxTemplate/python of this input',
      );
    });

    it('goes on without policies that may not be read', async () => {
      server
        .on('PATCH', TEMPLATE, echo)
        .on('PATCH', `${SANDBOXES}/a`, missing)
        .on('GET', POLICY, status(403, { reason: 'Forbidden' }));
      const { code, out } = await check(`${template}---\n${sandboxYaml('a')}`);
      expect(code).toBe(0);
      expect(out).toContain('may not be read, so they were left out');
    });
  });

  it('asks the cluster about kinds of others, once, and refuses unknown ones', async () => {
    server.on(
      'GET',
      '/api/v1',
      json({
        resources: [
          { name: 'configmaps', kind: 'ConfigMap', namespaced: true },
          { name: 'namespaces', kind: 'Namespace', namespaced: false },
        ],
      }),
    );
    server.on('PATCH', /configmaps\/(a|b)$/, echo).on('PATCH', '/api/v1/namespaces/n', echo);
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [
        object('ConfigMap', 'a'),
        object('ConfigMap', 'b'),
        object('Namespace', 'n'),
        object('Thing', 't', 'x.io/v1'),
      ],
    };
    const { code, out } = await check(JSON.stringify(list));
    expect(code).toBe(1);
    expect(out.trimEnd().split('\n')).toEqual([
      'configmap/a in team: allowed (-:1)',
      'configmap/b in team: allowed (-:1)',
      'namespace/n: allowed (-:1)',
      'thing.x.io/t: refused (-:1)',
      '  no matches for kind "Thing" in version "x.io/v1": is its definition installed?',
    ]);
    expect(server.requestsTo('/api/v1')).toHaveLength(1);
  });

  it('counts a field that the schema does not know as a refusal, although apply answers 500', async () => {
    const message =
      'failed to create typed patch object (team/a; agenttier.io/v1alpha1, Kind=Sandbox): .spec.tiemout: field not declared in schema';
    server.on('PATCH', `${SANDBOXES}/a`, status(500, { reason: 'InternalError', message }));
    const { code, out } = await check(sandboxYaml('a'));
    expect(code).toBe(1);
    expect(out.split('\n')[1]).toBe('  spec.tiemout: the schema has no such field [unknown_field]');
  });

  it('fails, rather than refuses, when the cluster is away', async () => {
    server.on('PATCH', /./, cut);
    const { code, out, err } = await check(sandboxYaml('a'));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^error: unable to reach the API server/);
  }, 30_000);

  it('refuses a namespace that contradicts -n', async () => {
    const { out } = await check(
      sandboxYaml('a').replace('metadata:\n', 'metadata:\n  namespace: other\n'),
      '-n',
      'team',
    );
    expect(out).toContain(
      'the namespace of the object (other) does not match the namespace asked for (team)',
    );
  });

  it('reads the files of a folder in order', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'agenttier-check-'));
    await writeFile(join(folder, 'b.yml'), sandboxYaml('b'));
    await writeFile(join(folder, 'a.yaml'), sandboxYaml('a'));
    await writeFile(join(folder, 'notes.txt'), 'nothing');
    server.on('PATCH', /sandboxes\/[ab]$/, echo);
    host = fakeHost({ variables: { KUBECONFIG: await writeKubeconfig(server.access().server) } });
    const { out } = await runWith(
      host,
      'check',
      '-f',
      folder,
      '-o',
      'jsonpath={range .verdicts[*]}{.file}:{.index}{"\\n"}{end}',
    );
    expect(out).toBe(`${folder}/a.yaml:0\n${folder}/b.yml:0\n`);
  });

  it('reads many files, and folders below with -R', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'agenttier-check-'));
    await mkdir(join(folder, 'deep'));
    await writeFile(join(folder, 'deep', 'c.yaml'), `${sandboxYaml('c')}---\n${sandboxYaml('d')}`);
    await writeFile(join(folder, 'a.yaml'), sandboxYaml('a'));
    server.on('PATCH', /sandboxes\/[a-d]$/, echo);
    const judged = async (...args: string[]): Promise<string> => {
      host = fakeHost({ variables: { KUBECONFIG: await writeKubeconfig(server.access().server) } });
      const names = 'jsonpath={range .verdicts[*]}{.name}{.index} {end}';
      return (await runWith(host, 'check', ...args, '-o', names)).out;
    };
    expect(await judged('-f', folder)).toBe('a0 ');
    expect(await judged('-f', folder, '-R')).toBe('a0 c0 d1 ');
    const files = [join(folder, 'deep', 'c.yaml'), join(folder, 'a.yaml')];
    expect(await judged('-f', ...files, '-f', files[1] ?? '')).toBe('c0 d1 a0 ');
  });

  it.each([
    ['broken YAML', 'kind: Sandbox\nmetadata:\n  name: [a\n', /^error: -:\d: /],
    ['a key twice', 'kind: Sandbox\nkind: Sandbox\n', /^error: -:2: Map keys must be unique/],
    [
      'something else',
      'hello: world\n',
      /^error: -:1: not a Kubernetes object: apiVersion and kind are required/,
    ],
    ['a scalar', '--- \njust text\n', /^error: -:2: not a Kubernetes object/],
  ])('names file and line of %s', async (_what, input, message) => {
    const { code, err } = await check(input);
    expect(code).toBe(1);
    expect(err).toMatch(message);
  });

  it('names a path that is not there', async () => {
    const { err } = await runWith(fakeHost(), 'check', '-f', '/no/such/file');
    expect(err).toMatch(/^error: the path "\/no\/such\/file" cannot be read: ENOENT/);
  });
});
