// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakePodExec } from '../../testing/fakePodExec.ts';
import { FakeRuntime } from '../../testing/fakeRuntime.ts';
import { ANN_KEY, Harness } from '../../testing/harness.ts';
import { REAL_UID, RealRuntime } from '../../testing/realRuntime.ts';
import { relayInto } from '../../testing/relay.ts';

let runtime: FakeRuntime;
let podExec: FakePodExec;
let harness: Harness;
beforeEach(async () => {
  runtime = await FakeRuntime.start();
  podExec = await FakePodExec.start();
  harness = await Harness.start({ runtimePort: runtime.port }, { apiServer: podExec.url });
});
afterEach(async () => {
  await harness.stop();
  await runtime.close();
  await podExec.close();
});

const exec = (body: unknown, name = 'box') =>
  harness.call('POST', `/api/v1/sandboxes/${name}/exec`, { body });

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('exec over the runtime', () => {
  it('runs a line in a shell, a list as it is, and gives the result back whole', async () => {
    await harness.add({ name: 'box' });
    runtime.onExec = () => ({
      exitCode: 3,
      stdout: 'out',
      stderr: 'err',
      durationMs: 5,
      timedOut: false,
      truncated: true,
    });
    const answer = await exec({ command: 'echo $HOME', timeout: 5 });
    expect(answer).toMatchObject({
      status: 200,
      body: { exitCode: 3, stdout: 'out', stderr: 'err', truncated: true },
    });
    expect(answer.headers.get('x-agenttier-transport')).toBe('runtime');
    await exec({ command: ['ls', '-l'] });
    expect(runtime.execs).toEqual([
      { command: ['/bin/sh', '-c', 'echo $HOME'], timeoutSeconds: 5 },
      { command: ['ls', '-l'], timeoutSeconds: 30 },
    ]);
  });

  it('keeps its connection for the next command', async () => {
    await harness.add({ name: 'box' });
    for (let turn = 0; turn < 5; turn++) expect((await exec({ command: 'true' })).status).toBe(200);
    expect(runtime.connections).toBe(1);
  });

  it('takes a command that is silent for longer than usual timeouts of headers', async () => {
    await harness.add({ name: 'box' });
    runtime.onExec = (_request, response) => {
      setTimeout(
        () => response.writeHead(200).end('{"exitCode":0,"stdout":"","stderr":"","timedOut":false}'),
        1200,
      );
      return undefined;
    };
    expect((await exec({ command: 'sleep 1' })).status).toBe(200);
  });

  const bad: [name: string, body: unknown, field: string][] = [
    ['no body', undefined, 'command'],
    ['no command', {}, 'command'],
    ['an empty line', { command: '' }, 'command'],
    ['an empty list', { command: [] }, 'command'],
    ['numbers', { command: ['sleep', 5] }, 'command'],
    ['a timeout in words', { command: 'true', timeout: '5s' }, 'timeout'],
    ['a negative timeout', { command: 'true', timeout: -1 }, 'timeout'],
    ['a timeout beyond the ceiling', { command: 'true', timeout: 1801 }, 'timeout'],
  ];
  it.each(bad)('refuses %s', async (_name, body, field) => {
    await harness.add({ name: 'box' });
    expect(await exec(body)).toMatchObject({ status: 400, body: { violations: [{ field }] } });
  });

  it('says 409 unless the sandbox runs', async () => {
    for (const phase of ['Creating', 'Stopped', 'Error'] as const) {
      await harness.add({ name: phase.toLowerCase(), phase });
      const answer = await exec({ command: 'true' }, phase.toLowerCase());
      expect(answer).toMatchObject({ status: 409, body: { error: 'sandbox is not running' } });
    }
  });

  it('does not run a command twice when the connection breaks in the middle', async () => {
    await harness.add({ name: 'box' });
    runtime.onExec = (_request, response) => {
      response.destroy();
      return undefined;
    };
    expect(await exec({ command: 'rm x' })).toMatchObject({ status: 502 });
    expect(runtime.execs).toHaveLength(1);
    expect(podExec.execs).toHaveLength(0);
  });

  it('ends the command when the client goes away', async () => {
    await harness.add({ name: 'box' });
    let ended = false;
    runtime.onExec = (_request, response) => {
      response.once('close', () => {
        ended = true;
      });
      return undefined;
    };
    const abort = new AbortController();
    const call = fetch(`${harness.url}/api/v1/sandboxes/box/exec`, {
      method: 'POST',
      headers: { 'X-API-Key': ANN_KEY },
      body: '{"command":"sleep 100"}',
      signal: abort.signal,
    });
    await until(() => runtime.execs.length === 1, 'the command to arrive');
    abort.abort();
    await expect(call).rejects.toThrow();
    await until(() => ended, 'the command to be let go');
  });

  it('never reaches into a pod of another sandbox with the same name', async () => {
    const first = await harness.add({ name: 'box' });
    harness.change(first, { metadata: { ...first.metadata, uid: 'another-uid' } });
    expect((await exec({ command: 'true' })).status).toBe(409);
    expect(runtime.execs).toHaveLength(0);
  });

  it('marks the sandbox as used, at once and then not again within half a minute', async () => {
    await harness.add({ name: 'box' });
    const writes = () =>
      harness.api.calls.filter(({ verb, resource }) => verb === 'patch' && resource.plural === 'sandboxes');
    await exec({ command: 'true' });
    await until(() => writes().length === 1, 'the use to be written');
    const body = writes()[0]?.body as { status: { lastActivityTimestamp: string } };
    expect(Date.now() - Date.parse(body.status.lastActivityTimestamp)).toBeLessThan(5000);
    await exec({ command: 'true' });
    await exec({ command: 'true' });
    expect(writes()).toHaveLength(1);
    await harness.router.close();
    expect(writes()).toHaveLength(2); // what is not written yet is, before the end
  });
});

describe('a command that was run', () => {
  it('is an Event on the sandbox that names neither the command nor the person', async () => {
    await harness.add({ name: 'box' });
    await exec({ command: 'echo hush' });
    const events = () => harness.api.calls.filter(({ resource }) => resource.plural === 'events');
    await until(() => events().length === 1, 'the Event');
    const event = events()[0]?.body as {
      metadata: { annotations: object };
      reason: string;
      regarding: object;
    };
    expect(event).toMatchObject({ reason: 'ExecRun', regarding: { kind: 'Sandbox', name: 'box' } });
    expect(event.metadata.annotations).toEqual({
      'agenttier.io/actor-hash': expect.stringMatching(/^[0-9a-f]{8}$/),
    });
    expect(JSON.stringify(event)).not.toMatch(/hush|"ann"/);
  });
});

/** Not so what has ended and is only not collected yet. */
const isAlive = (pid: string): boolean => {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

describe('exec through the API server', () => {
  let real: RealRuntime;
  beforeAll(async () => {
    real = await RealRuntime.start(process.env);
  }, 120_000);
  afterAll(() => real.stop());
  beforeEach(() => {
    podExec.onExec = relayInto(real);
  });

  it.each([
    ['there is no token', { nonce: '' }],
    ['the token is not the runtime’s', { nonce: 'old' }],
  ])('is used when %s', async (_name, setup) => {
    await harness.add({ name: 'box', uid: REAL_UID, ...setup });
    const answer = await exec({ command: 'echo hello; echo oops >&2; cat; exit 3', stdin: '!', timeout: 7 });
    expect(answer).toMatchObject({
      status: 200,
      body: { exitCode: 3, stdout: 'hello\n!', stderr: 'oops\n', timedOut: false },
    });
    expect(answer.headers.get('x-agenttier-transport')).toBe('exec');
    expect(podExec.execs[0]?.command).toEqual(['/agenttier/bin/agenttier-runtime', 'relay']);
  });

  it('is used when the port is closed, remembers that, and keeps the relay for the next command', async () => {
    const other = await Harness.start({ runtimePort: await closedPort() }, { apiServer: podExec.url });
    try {
      await other.add({ name: 'box', uid: REAL_UID });
      const call = (body: object) => other.call('POST', '/api/v1/sandboxes/box/exec', { body });
      expect((await call({ command: 'true' })).headers.get('x-agenttier-transport')).toBe('exec');
      expect((await call({ command: 'true' })).status).toBe(200);
      const begun = await call({ command: 'echo later', detach: true });
      expect(begun).toMatchObject({ status: 202 });
      const { execId } = begun.body as { execId: string };
      const ended = await other.call('GET', `/api/v1/sandboxes/box/exec/${execId}?wait=10s`);
      expect(ended).toMatchObject({ status: 200, body: { exitCode: 0, stdout: 'later\n' } });
      const page = (await other.call('GET', '/metrics')).body as string;
      expect(page).toContain('agenttier_runtime_fallback_total{reason="unreachable",component="router"} 1');
      expect(page).toContain(
        'agenttier_runtime_fallback_total{reason="recently_unreachable",component="router"} 3',
      );
      expect(podExec.execs).toHaveLength(1);
    } finally {
      await other.stop();
    }
  });

  it('answers in time although the command does not end, with what it printed', async () => {
    await harness.add({ name: 'box', uid: REAL_UID, nonce: '' });
    const answer = await exec({ command: 'echo so far; sleep 100', timeout: 1 });
    expect(answer.body).toMatchObject({ timedOut: true, stdout: 'so far\n' });
  });

  it('ends with everything that it has started when the client goes away', async () => {
    await harness.add({ name: 'box', uid: REAL_UID, nonce: '' });
    const abort = new AbortController();
    const started = `${real.folder}/started`;
    const call = fetch(`${harness.url}/api/v1/sandboxes/box/exec`, {
      method: 'POST',
      headers: { 'X-API-Key': ANN_KEY },
      body: JSON.stringify({ command: `sleep 1000 & echo $$ $! > ${started}; wait` }),
      signal: abort.signal,
    });
    const pids = (): string[] => (existsSync(started) ? readFileSync(started, 'utf8').trim().split(' ') : []);
    await until(() => pids().length === 2, 'both to be started');
    abort.abort();
    await expect(call).rejects.toThrow();
    for (const pid of pids()) await until(() => !isAlive(pid), `${pid} to be gone`);
  });

  it('says so when the API server refuses, and when the runtime is not there', async () => {
    await harness.add({ name: 'box', nonce: '' });
    podExec.onExec = (run) => {
      run.output('relay: no runtime at 127.0.0.1:9000', 2);
      run.exit(255);
    };
    const failed = await exec({ command: 'true' });
    expect(failed).toMatchObject({ status: 503, body: { error: expect.stringContaining('no runtime at') } });
    await podExec.close();
    expect((await exec({ command: 'true' })).status).toBe(503);
    podExec = await FakePodExec.start();
  });

  it('does not say that nothing was sent when a relay is killed half-way', async () => {
    await harness.add({ name: 'box', nonce: '' });
    podExec.onExec = (run) => {
      run.onInput = () => run.exit(137);
    };
    expect(await exec({ command: 'rm x' })).toMatchObject({ status: 502 });
    expect(podExec.execs).toHaveLength(1);
  });
});
