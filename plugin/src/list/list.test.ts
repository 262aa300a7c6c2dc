// SPDX-License-Identifier: Apache-2.0
import {
  json,
  list,
  ScriptedServer,
  silence,
  status,
  statusBody,
} from '@agenttier/machinery/testing/scriptedServer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeHost, type PluginRun, runWith, writeKubeconfig } from '../testing/fakeHost.ts';

const SANDBOXES = '/apis/agenttier.io/v1alpha1/namespaces/team/sandboxes';
const item = (name: string, phase: string, namespace = 'team') => ({
  metadata: { name, namespace, creationTimestamp: new Date(Date.now() - 65_000).toISOString() },
  spec: { templateRef: { name: 'python' } },
  status: { phase },
});

let server: ScriptedServer;
let config: string;
const run = (...args: string[]): Promise<PluginRun> =>
  runWith(fakeHost({ variables: { KUBECONFIG: config } }), ...args);

beforeEach(async () => {
  server = await ScriptedServer.start();
  config = await writeKubeconfig(server.access().server);
});
afterEach(() => server.close());

describe('list', () => {
  it('lists the namespace of the context', async () => {
    server.on('GET', SANDBOXES, list([item('demo', 'Running')]));
    const { code, out, err } = await run('list');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^NAME +STATUS +TEMPLATE +AGE\ndemo +Running +python +6\ds\n$/);
    expect(server.requests[0]?.headers.authorization).toBe('Bearer kube-token');
  });

  it.each([
    ['after the verb', ['list', '-n', 'other', '--no-headers']],
    ['before the verb', ['--namespace', 'other', 'list', '--no-headers']],
  ])('takes the namespace %s', async (_where, args) => {
    server.on('GET', SANDBOXES.replace('team', 'other'), list([item('demo', 'Running')]));
    expect((await run(...args)).out).toMatch(/^demo /);
  });

  it('takes another context', async () => {
    server.on('GET', SANDBOXES.replace('team', 'elsewhere'), list([item('demo', 'Running')]));
    expect((await run('list', '--context', 'other', '-o', 'name')).out).toBe('sandbox.agenttier.io/demo\n');
  });

  it('lists all namespaces, by status and label', async () => {
    const all = [item('a', 'Running', 'one'), item('b', 'Error', 'two'), item('c', 'Error', 'three')];
    server.on('GET', '/apis/agenttier.io/v1alpha1/sandboxes', list(all));
    const { out } = await run('list', '-A', '--status', 'error', '-l', 'team=red', '--no-headers');
    expect(out.split('\n').map((line) => line.split(/ +/).slice(0, 2))).toEqual([
      ['two', 'b'],
      ['three', 'c'],
      [''],
    ]);
    expect(server.requests[0]?.query.get('labelSelector')).toBe('team=red');
  });

  it('says on stderr that there is nothing, and prints an empty List for programs', async () => {
    server.on('GET', SANDBOXES, list([]));
    expect(await run('list')).toEqual({ code: 0, out: '', err: 'No resources found in team namespace\n' });
    expect(JSON.parse((await run('list', '-o', 'json')).out)).toMatchObject({ kind: 'List', items: [] });
  });

  it('reports a broken template of -o jsonpath', async () => {
    server.on('GET', SANDBOXES, list([]));
    const { code, err } = await run('list', '-o', 'jsonpath={.items');
    expect({ code, err }).toEqual({ code: 1, err: 'error: unclosed action in "{.items"\n' });
  });
});

describe('get', () => {
  const notFound = json(
    { ...statusBody(404, { reason: 'NotFound', message: 'sandboxes.agenttier.io "nope" not found' }) },
    404,
  );

  it('prints one object bare', async () => {
    server.on(
      'GET',
      `${SANDBOXES}/demo`,
      json({ kind: 'Sandbox', apiVersion: 'agenttier.io/v1alpha1', ...item('demo', 'Running') }),
    );
    expect((await run('get', 'demo', '-o', 'jsonpath={.metadata.name}:{.status.phase}')).out).toBe(
      'demo:Running',
    );
    expect((await run('get', 'sandbox/demo', '-o', 'name')).out).toBe('sandbox.agenttier.io/demo\n');
  });

  it('prints what it finds and fails for the rest, as kubectl does', async () => {
    server.on(
      'GET',
      `${SANDBOXES}/demo`,
      json({ kind: 'Sandbox', apiVersion: 'agenttier.io/v1alpha1', ...item('demo', 'Running') }),
    );
    server.on('GET', `${SANDBOXES}/nope`, notFound);
    const { code, out, err } = await run('get', 'demo', 'nope', '--no-headers');
    expect(code).toBe(1);
    expect(out).toMatch(/^demo /);
    expect(err).toBe('Error from server (NotFound): sandboxes.agenttier.io "nope" not found\n');
  });

  it.each([
    [['get', 'pod/demo'], 'error: "pod/demo" is not a sandbox: expected NAME or sandbox/NAME\n'],
    [['get', 'demo', '-A'], 'error: a resource cannot be retrieved by name across all namespaces\n'],
    [['get', 'demo', '-l', 'a=b'], 'error: name cannot be provided when a selector is specified\n'],
  ])('refuses %j', async (args, message) => {
    expect(await run(...args)).toEqual({ code: 1, out: '', err: message });
  });
});

describe('what can go wrong on the way', () => {
  it('names an unreachable server', async () => {
    await server.close();
    const { code, err } = await run('get', 'demo');
    expect(code).toBe(1);
    expect(err).toMatch(/^error: unable to reach the API server: .*\n$/);
    server = await ScriptedServer.start();
  });

  it('says when there is no kubeconfig, context or file', async () => {
    expect((await runWith(fakeHost(), 'list')).err).toMatch(/^error: no cluster is configured/);
    expect((await run('list', '--context', 'nope')).err).toMatch(
      /^error: context "nope" is not in the kubeconfig/,
    );
    expect((await runWith(fakeHost(), 'list', '--kubeconfig', '/nope')).err).toMatch(
      /^error: kubeconfig \/nope cannot be read/,
    );
  });

  it('shows the server’s warnings', async () => {
    server.on(
      'GET',
      `${SANDBOXES}/demo`,
      json({ kind: 'Sandbox', ...item('demo', 'Running') }, 200, { warning: '299 - "v1alpha1 is young"' }),
    );
    expect((await run('get', 'demo')).err).toBe('Warning: v1alpha1 is young\n');
  });

  it('explains a missing right', async () => {
    server.on(
      'GET',
      SANDBOXES,
      status(403, {
        reason: 'Forbidden',
        message: 'sandboxes.agenttier.io is forbidden: User "x" cannot list',
      }),
    );
    expect((await run('list')).err).toBe(
      'Error from server (Forbidden): sandboxes.agenttier.io is forbidden: User "x" cannot list\n',
    );
  });

  it('ends at once and silently when interrupted', async () => {
    server.on('GET', SANDBOXES, silence);
    const host = fakeHost({ variables: { KUBECONFIG: config } });
    const running = runWith(host, 'list');
    await server.received(1);
    host.interrupt.abort();
    expect(await running).toEqual({ code: 130, out: '', err: '' });
  });

  it('refuses unknown commands and flags with code 2', async () => {
    expect(await run('lsit')).toEqual({
      code: 2,
      out: '',
      err: "error: unknown command 'lsit'\n(Did you mean list?)\n",
    });
    expect((await run('list', '--bogus')).err).toMatch(/^error: unknown option '--bogus'/);
    expect((await run('stop')).err).toMatch(/^error: missing required argument 'name'/);
  });
});
