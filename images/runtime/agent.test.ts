// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime, buildRuntime, until } from './testRuntime.ts';

let program = '';

beforeAll(() => {
  program = buildRuntime();
}, 240_000);

afterAll(() => {
  rmSync(dirname(program), { recursive: true, force: true });
});

interface Sent {
  readonly id: number;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

const sent = (text: string): Sent[] =>
  text
    .split('\n\n')
    .filter((block) => block.startsWith('id:'))
    .map((block) => {
      const [id = '', event = '', data = ''] = block.split('\n').map((line) => line.replace(/^\w+: /, ''));
      return { id: Number(id), event, data: JSON.parse(data) as Record<string, unknown> };
    });

const linesOf = (events: readonly Sent[]): unknown[] =>
  events.filter(({ event }) => event === 'log').map(({ data }) => data['data']);

const put = (runtime: Runtime, settings: object): Promise<Response> =>
  runtime.fetch('/agent', { method: 'PUT', body: JSON.stringify({ hash: 'h', ...settings }) });

const sh = (script: string): string[] => ['/bin/sh', '-c', script, 'agent'];

async function withAgent(
  settings: object,
  act: (runtime: Runtime) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  const runtime = await Runtime.start(program, args);
  try {
    expect((await put(runtime, settings)).status).toBe(200);
    await act(runtime);
  } finally {
    await runtime.stop();
  }
}

/** fetch of the harness has its own headers only; these tests need some more. */
const call = (
  runtime: Runtime,
  path: string,
  init: { readonly method?: string; readonly headers?: Record<string, string> },
): Promise<Response> =>
  fetch(`http://${runtime.address}${path}`, {
    ...init,
    headers: { authorization: 'Bearer a-token-for-tests', ...init.headers },
  });

describe('an invocation', () => {
  it('streams start, lines and exit with ids, and is read again from any of them', () =>
    withAgent({ entrypoint: sh('cat; echo "\u001b[31mred \u2603"; printf last') }, async (runtime) => {
      const answer = await runtime.fetch('/invoke?id=inv-1', { method: 'POST', body: 'one\ntwo\n' });
      expect(answer.headers.get('content-type')).toBe('text/event-stream');
      const events = sent(await answer.text());
      expect(events.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(events[0]).toMatchObject({ event: 'start', data: { invokeId: 'inv-1' } });
      expect(linesOf(events)).toEqual(['one', 'two', '\u001b[31mred \u2603', 'last']);
      expect(events.at(-1)).toMatchObject({ event: 'exit', data: { exitCode: 0, reason: 'completed' } });
      const again = await call(runtime, '/invoke/inv-1', { headers: { 'last-event-id': '4' } });
      expect(sent(await again.text())).toEqual(events.slice(4));
    }));

  it('is refused beyond the cap, before it is configured, and with too much input', async () => {
    const runtime = await Runtime.start(program);
    expect((await runtime.fetch('/invoke', { method: 'POST' })).status).toBe(424);
    expect((await put(runtime, { entrypoint: [''] })).status).toBe(400);
    await put(runtime, { entrypoint: sh('sleep 100'), maxConcurrent: 1, laterField: true });
    const large = await runtime.fetch('/invoke', { method: 'POST', body: Buffer.alloc((16 << 20) + 1) });
    expect(large.status).toBe(413);
    const first = new AbortController();
    await runtime.fetch('/invoke', { method: 'POST', signal: first.signal });
    const second = await runtime.fetch('/invoke', { method: 'POST' });
    expect(second.status).toBe(429);
    expect(second.headers.get('retry-after')).toBe('5');
    expect(await second.json()).toMatchObject({ error: 'concurrency_exceeded', limit: 1, inflight: 1 });
    // Closing the connection ends it and frees its place.
    first.abort();
    await until('the place to be free', async () => {
      const state = (await (await runtime.fetch('/agent')).json()) as { inflight: number };
      return state.inflight === 0 ? true : undefined;
    });
    await runtime.stop();
  });

  it('is cancelled by who began it or an administrator, and by nobody else', () =>
    withAgent({ entrypoint: sh('echo up; sleep 100') }, async (runtime) => {
      const begin = (id: string): Promise<Response> =>
        call(runtime, `/invoke?id=${id}`, { method: 'POST', headers: { 'x-agenttier-actor': 'ann' } });
      const cancel = async (id: string, headers: Record<string, string>): Promise<number> =>
        (await call(runtime, `/invoke/${id}`, { method: 'DELETE', headers })).status;
      const mine = await begin('mine');
      const other = await begin('other');
      expect(await cancel('mine', { 'x-agenttier-actor': 'bob' })).toBe(403);
      expect(await cancel('mine', { 'x-agenttier-actor': 'ann' })).toBe(204);
      expect(await cancel('other', { 'x-agenttier-actor': 'bob', 'x-agenttier-admin': 'true' })).toBe(204);
      for (const stream of [mine, other])
        expect(sent(await stream.text()).at(-1)?.data).toMatchObject({ reason: 'canceled', exitCode: -1 });
      expect(await cancel('mine', { 'x-agenttier-actor': 'ann' })).toBe(404);
      expect(await cancel('never', {})).toBe(404);
    }));

  it('ends before the container when it is given the time, and new ones are refused then', () =>
    withAgent(
      { entrypoint: sh('echo up; while [ ! -e go ]; do sleep 0.02; done; echo done') },
      async (runtime) => {
        const stream = await runtime.fetch('/invoke', { method: 'POST' });
        runtime.process.kill('SIGTERM');
        await until('new ones to be refused', async () => {
          const answer = await runtime.fetch('/invoke', { method: 'POST' });
          await answer.body?.cancel();
          return answer.status === 503 ? true : undefined;
        });
        writeFileSync(join(runtime.workdir, 'go'), '');
        const events = sent(await stream.text());
        expect(linesOf(events)).toEqual(['up', 'done']);
        expect(events.at(-1)?.data).toMatchObject({ reason: 'completed' });
        expect(await runtime.exited).toBe(0);
      },
      ['--invoke-grace', '30s'],
    ));
});

describe('an installation', () => {
  const post = (runtime: Runtime, spec: object): Promise<Response> =>
    runtime.fetch('/install', { method: 'POST', body: JSON.stringify(spec) });

  it('goes on when nobody waits, keeps its log, blocks invocations, and is asked for once only', () =>
    withAgent({ entrypoint: sh('echo invoked') }, async (runtime) => {
      const spec = { id: 'a', command: sh('while [ ! -e go ]; do sleep 0.02; done; echo installed; exit 9') };
      expect((await post(runtime, spec)).status).toBe(202);
      expect((await post(runtime, spec)).status).toBe(200);
      const other = await post(runtime, { id: 'b', command: ['true'] });
      expect(other.status).toBe(409);
      expect(await other.json()).toMatchObject({ error: 'install_running', id: 'a' });
      const refused = await runtime.fetch('/invoke', { method: 'POST' });
      expect(refused.status).toBe(424);
      writeFileSync(join(runtime.workdir, 'go'), '');
      const state = await (await runtime.fetch('/install?wait=20s')).json();
      expect(state).toMatchObject({
        id: 'a',
        state: 'done',
        exitCode: 9,
        log: 'installed\n',
        bytesTotal: 10,
      });
      const events = sent(await (await runtime.fetch('/install/events')).text());
      expect(linesOf(events)).toEqual(['installed']);
      expect(await (await runtime.fetch('/invoke', { method: 'POST' })).text()).toContain('exit code 9');
      expect((await post(runtime, { id: 'b', command: ['true'] })).status).toBe(202);
      await runtime.fetch('/install?wait=20s');
      expect(linesOf(sent(await (await runtime.fetch('/invoke', { method: 'POST' })).text()))).toEqual([
        'invoked',
      ]);
    }));

  it('waits for files and takes them from where they were staged', () =>
    withAgent({}, async (runtime) => {
      const content = 'print("hello")\n';
      const sha256 = createHash('sha256').update(content).digest('hex');
      const file = { path: join(runtime.workdir, 'agent.py'), size: content.length, sha256 };
      const spec = { id: 'files', command: ['cat', 'agent.py'], files: [file] };
      const missing = await post(runtime, spec);
      expect(missing.status).toBe(424);
      expect(await missing.json()).toMatchObject({ error: 'files_missing', missing: [file.path] });
      mkdirSync(join(runtime.workdir, '.agenttier/staged'), { recursive: true });
      writeFileSync(join(runtime.workdir, '.agenttier/staged', sha256), content);
      expect((await post(runtime, spec)).status).toBe(202);
      expect(await (await runtime.fetch('/install?wait=20s')).json()).toMatchObject({ log: content });
      expect((await post(runtime, { id: '' })).status).toBe(400);
      expect((await runtime.fetch('/install/files', { method: 'DELETE' })).status).toBe(404);
    }));
});
