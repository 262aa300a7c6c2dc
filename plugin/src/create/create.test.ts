// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  json,
  list,
  ScriptedServer,
  ScriptedWatch,
  status,
  statusBody,
} from '@agenttier/machinery/testing/scriptedServer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeHost, type PluginRun, runWith, writeKubeconfig } from '../testing/fakeHost.ts';

const SANDBOXES = '/apis/agenttier.io/v1alpha1/namespaces/team/sandboxes';
const sandbox = (phase?: string, more: Record<string, unknown> = {}) => ({
  apiVersion: 'agenttier.io/v1alpha1',
  kind: 'Sandbox',
  metadata: { name: 'demo', namespace: 'team', generation: 1 },
  spec: { templateRef: { name: 'python' } },
  ...(phase === undefined ? {} : { status: { phase, observedGeneration: 1, ...more } }),
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

/** One answer for a list and one hand-written watch on the same path. */
function observed(first: readonly unknown[], watch: ScriptedWatch): void {
  const answerList = list(first);
  server.on('GET', SANDBOXES, (response, request) =>
    request.query.get('watch') ? watch.reply(response, request) : answerList(response, request),
  );
}

describe('create', () => {
  it('sends the object and says so', async () => {
    server.on('POST', SANDBOXES, json(sandbox(), 201));
    expect(await run('create', 'demo', '-t', 'python', '--env', 'A=1')).toEqual({
      code: 0,
      out: 'sandbox.agenttier.io/demo created\n',
      err: '',
    });
    const [request] = server.requests;
    expect(request?.query.get('fieldManager')).toBe('kubectl-agenttier');
    expect(request?.query.get('fieldValidation')).toBe('Strict');
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      metadata: { name: 'demo', namespace: 'team' },
      spec: { templateRef: { name: 'python' }, env: [{ name: 'A', value: '1' }] },
    });
  });

  it('asks the server to judge only, for a server dry run', async () => {
    server.on('POST', SANDBOXES, json(sandbox(), 201));
    expect((await run('create', 'demo', '-t', 'python', '--dry-run=server', '--wait')).out).toBe(
      'sandbox.agenttier.io/demo created (server dry run)\n',
    );
    expect(server.requests.map(({ query }) => query.get('dryRun'))).toEqual(['All']);
  });

  it('contacts nothing for a client dry run', async () => {
    const { out } = await run('create', 'demo', '-t', 'python', '--dry-run', 'client', '-o', 'yaml');
    expect(out).toBe(
      'apiVersion: agenttier.io/v1alpha1\nkind: Sandbox\nmetadata:\n  name: demo\n  namespace: team\nspec:\n  templateRef:\n    name: python\n',
    );
    expect(server.requests).toEqual([]);
  });

  it('starts from a file', async () => {
    const file = join(dirname(config), 'demo.yaml');
    await writeFile(
      file,
      'apiVersion: agenttier.io/v1alpha1\nkind: Sandbox\nmetadata: {name: filed}\nspec: {timeout: 1h}\n',
    );
    server.on('POST', SANDBOXES, json(sandbox(), 201));
    await run('create', '-f', file, '--timeout', '2h');
    expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({
      metadata: { name: 'filed' },
      spec: { timeout: '2h' },
    });
  });

  it('prints every violation of a refusal', async () => {
    const causes = ['cpu', 'memory', 'storage'].map((what) => ({
      reason: `${what}_limit_exceeded`,
      field: `spec.${what}`,
      message: JSON.stringify({ message: `${what} is over the maximum`, limit: '1', actual: '2' }),
    }));
    server.on(
      'POST',
      SANDBOXES,
      status(403, { reason: 'Forbidden', message: 'admission webhook "v" denied the request: x', causes }),
    );
    const { code, out, err } = await run('create', 'demo', '-t', 'python', '--cpu', '2');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.trimEnd().split('\n').slice(1)).toEqual([
      '  spec.cpu: cpu is over the maximum (limit 1, actual 2) [cpu_limit_exceeded]',
      '  spec.memory: memory is over the maximum (limit 1, actual 2) [memory_limit_exceeded]',
      '  spec.storage: storage is over the maximum (limit 1, actual 2) [storage_limit_exceeded]',
    ]);
  });

  it('waits by a watch until the sandbox runs', async () => {
    const watch = new ScriptedWatch();
    server.on('POST', SANDBOXES, json(sandbox(), 201));
    observed([sandbox()], watch);
    const running = run('create', 'demo', '-t', 'python', '--wait');
    const request = await watch.opened();
    expect(request.query.get('fieldSelector')).toBe('metadata.name=demo');
    watch.send('MODIFIED', sandbox('Creating')).send('MODIFIED', sandbox('Running'));
    expect(await running).toEqual({
      code: 0,
      out: 'sandbox.agenttier.io/demo created\n',
      err: 'sandbox.agenttier.io/demo is running\n',
    });
  });

  it('fails with the reason when the sandbox cannot run', async () => {
    server.on('POST', SANDBOXES, json(sandbox(), 201));
    observed(
      [sandbox('Error', { reason: 'ImagePullBackOff', message: 'no such image' })],
      new ScriptedWatch(),
    );
    const { code, err } = await run('create', 'demo', '-t', 'python', '--wait');
    expect({ code, err }).toEqual({
      code: 1,
      err: 'error: sandbox "demo" cannot run: ImagePullBackOff: no such image\n',
    });
  });

  it('says what is missing when time runs out', async () => {
    server.on('POST', SANDBOXES, json(sandbox(), 201));
    const conditions = [
      { type: 'VolumeReady', status: 'False', reason: 'Provisioning', message: 'volume is being made' },
    ];
    observed([sandbox('Creating', { conditions })], new ScriptedWatch());
    const { code, err } = await run('create', 'demo', '-t', 'python', '--wait', '--wait-timeout', '200ms');
    expect(code).toBe(1);
    expect(err).toBe(
      'error: timed out waiting for sandbox "demo" after 0.2s: it is Creating (VolumeReady: volume is being made)\n',
    );
  });
});

describe('wait', () => {
  it('goes on after a watch that ended, a cut one and an expired one', async () => {
    const [first, second, third, fourth] = [0, 1, 2, 3].map(() => new ScriptedWatch()) as [
      ScriptedWatch,
      ScriptedWatch,
      ScriptedWatch,
      ScriptedWatch,
    ];
    const watches = [first, second, third, fourth];
    server.on('GET', SANDBOXES, (response, request) =>
      request.query.get('watch')
        ? watches.shift()?.reply(response, request)
        : list([sandbox('Creating')])(response, request),
    );
    const running = run('wait', 'demo');
    await first.opened();
    first.end();
    await second.opened();
    second.cut();
    await third.opened();
    third.send('ERROR', statusBody(410, { reason: 'Expired' }));
    await fourth.opened();
    fourth.send('MODIFIED', sandbox('Running'));
    expect(await running).toEqual({ code: 0, out: 'sandbox.agenttier.io/demo is running\n', err: '' });
  });

  it('does not take a status about an older spec for an answer', async () => {
    const watch = new ScriptedWatch();
    observed(
      [{ ...sandbox('Running'), metadata: { name: 'demo', namespace: 'team', generation: 2 } }],
      watch,
    );
    const running = run('wait', 'demo');
    await watch.opened();
    watch.send('MODIFIED', {
      ...sandbox('Stopped'),
      metadata: { name: 'demo', generation: 2 },
      status: { phase: 'Running', observedGeneration: 2 },
    });
    expect((await running).code).toBe(0);
  });

  it.each([
    ['stopped', [sandbox('Stopped')], 'is stopped'],
    ['deleted', [], 'is deleted'],
    [
      'condition=PodReady',
      [sandbox('Creating', { conditions: [{ type: 'PodReady', status: 'True' }] })],
      'condition met',
    ],
    [
      'condition=podready=false',
      [sandbox('Creating', { conditions: [{ type: 'PodReady', status: 'False' }] })],
      'condition met',
    ],
  ])('waits for %s', async (goal, items, done) => {
    observed(items, new ScriptedWatch());
    expect((await run('wait', 'demo', '--for', goal)).out).toBe(`sandbox.agenttier.io/demo ${done}\n`);
  });

  it.each([
    [['wait', 'demo', '--for', 'ready?'], /--for: "ready\?" is none of/],
    [['wait', 'demo', '--timeout', '1d'], /--timeout: "1d" is not a duration/],
    [['wait', 'demo', '--timeout', '0s'], /is not a duration above zero/],
  ])('refuses %j', async (args, message) => {
    expect((await run(...args)).err).toMatch(message);
  });

  it('fails for a sandbox that does not exist', async () => {
    observed([], new ScriptedWatch());
    expect(await run('wait', 'demo')).toEqual({
      code: 1,
      out: '',
      err: 'error: sandbox "demo" does not exist\n',
    });
  });
});

describe('stop, resume, delete', () => {
  it('stops by desired state', async () => {
    server.on('PATCH', `${SANDBOXES}/demo`, json(sandbox('Running')));
    expect((await run('stop', 'demo')).out).toBe('sandbox.agenttier.io/demo stopping\n');
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({ spec: { desiredState: 'Stopped' } });
  });

  it('resumes with a fresh retry mark, and does not take the old failure for the new answer', async () => {
    const watch = new ScriptedWatch();
    const failed = sandbox('Error', { reason: 'CrashLoop' });
    server.on('PATCH', `${SANDBOXES}/demo`, json(failed));
    observed([failed], watch);
    const running = run('resume', 'demo', '--wait');
    await watch.opened();
    watch.send('MODIFIED', sandbox('Creating')).send('MODIFIED', sandbox('Running'));
    expect((await running).out).toBe('sandbox.agenttier.io/demo running\n');
    const body = JSON.parse(server.requests[0]?.body ?? '') as {
      metadata: { annotations: Record<string, string> };
    };
    expect(Date.parse(body.metadata.annotations['agenttier.io/retry'] ?? '')).toBeGreaterThan(0);
  });

  it('handles every name and fails for the ones that fail', async () => {
    server.on('DELETE', `${SANDBOXES}/a`, json({ kind: 'Status', status: 'Success' }));
    server.on('DELETE', `${SANDBOXES}/b`, status(404, { reason: 'NotFound', message: 'b not found' }));
    server.on('DELETE', `${SANDBOXES}/c`, json({ kind: 'Status', status: 'Success' }));
    const { code, out, err } = await run('delete', 'a', 'b', 'sbx/c');
    expect(code).toBe(1);
    expect(out.trimEnd().split('\n').sort()).toEqual([
      'sandbox.agenttier.io "a" deleted',
      'sandbox.agenttier.io "c" deleted',
    ]);
    expect(err).toBe('Error from server (NotFound): b not found\n');
    expect((await run('delete', 'b', '--ignore-not-found')).code).toBe(0);
  });

  it('waits until the object is gone', async () => {
    const watch = new ScriptedWatch();
    server.on('DELETE', `${SANDBOXES}/demo`, json({ kind: 'Status', status: 'Success' }));
    observed([sandbox('Running')], watch);
    const running = run('delete', 'demo', '--wait', '-o', 'name');
    await watch.opened();
    watch.send('MODIFIED', sandbox('Deleting')).send('DELETED', sandbox('Deleting'));
    expect((await running).out).toBe('sandbox.agenttier.io/demo\n');
  });
});
