// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, writeFile } from 'node:fs/promises';
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
      .on('PATCH', '/apis/agenttier.io/v1alpha1/clustersandboxtemplates/python', echo);
    const template =
      'apiVersion: agenttier.io/v1alpha1\nkind: ClusterSandboxTemplate\nmetadata: {name: python}\nspec: {}\n';
    expect(await check(`# first\n${template}---\n---\n${sandboxYaml('a')}`)).toEqual({
      code: 0,
      err: '',
      out: 'clustersandboxtemplate.agenttier.io/python: allowed (-:2)\nsandbox.agenttier.io/a in team: allowed (-:8)\n',
    });
    expect(server.requests.map(({ query }) => Object.fromEntries(query))).toEqual([
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
          source: '-:1',
          object: 'sandbox.agenttier.io/bad',
          namespace: 'team',
          allowed: false,
          violations: [{ code: 'field_not_supported', field: 'spec.sidecars', message: 'comes later' }],
          warnings: [],
        },
      ],
    });
  });

  it('explains a template that is only in the same input', async () => {
    server.on('PATCH', '/apis/agenttier.io/v1alpha1/clustersandboxtemplates/python', echo);
    server.on(
      'PATCH',
      `${SANDBOXES}/a`,
      refusal(422, 'template_not_found', 'spec.templateRef.name', 'template python does not exist'),
    );
    const template =
      'apiVersion: agenttier.io/v1alpha1\nkind: ClusterSandboxTemplate\nmetadata: {name: python}\nspec: {}\n';
    const { code, out } = await check(`${template}---\n${sandboxYaml('a')}`);
    expect(code).toBe(1);
    expect(out).toContain(
      '  hint: clustersandboxtemplate.agenttier.io/python is in the same input: apply it first',
    );
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
      'jsonpath={range .verdicts[*]}{.source}{"\\n"}{end}',
    );
    expect(out).toBe(`${folder}/a.yaml:1\n${folder}/b.yml:1\n`);
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
