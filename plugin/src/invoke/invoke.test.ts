// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeAgent } from '../testing/fakeAgent.ts';
import { type FakeHost, fakeHost, type PluginRun, runWith } from '../testing/fakeHost.ts';

let agent: FakeAgent;
let host: FakeHost;
const start = (...args: readonly string[]): Promise<PluginRun> => {
  const variables = { AGENTTIER_API_URL: agent.url, AGENTTIER_API_KEY: 'atk_key' };
  host = fakeHost({ variables });
  return runWith(host, 'invoke', 'demo', '-n', 'team', ...args);
};
beforeEach(async () => {
  agent = await FakeAgent.start();
});
afterEach(() => agent.close());

const ID = 'inv-1';
const begin = { invokeId: ID, startedAt: 1 };
const log = (data: string, stream = 'stdout'): object => ({ stream, data });
const exit = (exitCode: number, reason = 'completed'): object => ({
  invokeId: ID,
  exitCode,
  durationMs: 5,
  reason,
});

describe('invoke', () => {
  it('shows what the agent prints and ends with its exit code', async () => {
    agent.events((answer) =>
      answer
        .send('start', begin)
        .send('log', log('héllo'))
        .send('log', log('oops', 'stderr'))
        .send('exit', exit(3))
        .end(),
    );
    expect(await start('--prompt', 'do "it"', '--timeout', '5m')).toEqual({
      code: 3,
      out: 'héllo\n',
      err: 'invoke started: inv-1\noops\ninvoke completed: exit 3 (duration 5ms)\n',
    });
    const [asked] = agent.asked;
    expect([asked?.method, asked?.path, asked?.body]).toEqual(['POST', '/api/v1/sandboxes/demo/invoke', '']);
    expect(Object.fromEntries(asked?.query ?? [])).toEqual({
      namespace: 'team',
      prompt: 'do "it"',
      timeout: '5m',
      id: expect.stringMatching(/^inv-[0-9a-f]{24}$/),
      resume: '30s',
    });
  });

  it.each([
    ['timeout', 124],
    ['canceled', 130],
    ['error', 1],
  ])('that ends by %s has a code of its own', async (reason, code) => {
    agent.events((answer) => answer.send('start', begin).send('exit', exit(-1, reason)).end());
    expect((await start()).code).toBe(code);
  });

  it('takes its input from a text, a file or standard input', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'agenttier-')), 'task');
    await writeFile(file, 'from a file');
    for (const [input, body] of [
      ['text', 'text'],
      ['@@at', '@at'],
      [`@${file}`, 'from a file'],
      ['-', 'from a pipe'],
    ]) {
      agent.events((answer) => answer.send('start', begin).send('exit', exit(0)).end());
      const running = start('--input', input ?? '');
      host.streams.in.end('from a pipe');
      expect((await running).code).toBe(0);
      expect(agent.asked.at(-1)?.body).toBe(body);
    }
    expect(await start('--input', '@/no/such')).toMatchObject({
      code: 1,
      err: expect.stringContaining('no file'),
    });
  });

  it('goes on where it was when the connection breaks, and again when no replica answers at first', async () => {
    agent.events((answer) => {
      answer.send('start', begin).send('log', log('one'));
      void until(() => host.streams.out.text === 'one\n').then(() => answer.break());
    });
    agent.json(503, { error: 'this replica is starting' });
    agent.events((answer) => answer.send('log', log('two')).send('exit', exit(0)).end(), 3);
    expect(await start()).toMatchObject({ code: 0, out: 'one\ntwo\n' });
    const resumed = agent.asked.at(-1);
    expect([resumed?.method, resumed?.path, resumed?.query.get('after')]).toEqual([
      'GET',
      '/api/v1/sandboxes/demo/invoke/inv-1',
      '2',
    ]);
  });

  it('is cancelled by Ctrl-C', async () => {
    agent.events((answer) => answer.send('start', begin));
    agent.json(204);
    const running = start();
    await until(() => host.streams.err.text.includes(ID));
    host.interrupt.abort();
    expect((await running).code).toBe(130);
    expect(agent.asked.at(-1)).toMatchObject({
      path: '/api/v1/sandboxes/demo/invoke/cancel',
      body: JSON.stringify({ invokeId: ID }),
    });
  });

  it('is cancelled by Ctrl-C at once, before it has told that it begins', async () => {
    agent.events(() => undefined);
    agent.json(404, { error: 'no invocation of this id' });
    agent.json(204);
    const running = start();
    await until(() => agent.asked.length === 1);
    host.interrupt.abort();
    expect(await running).toEqual({ code: 130, out: '', err: '' });
    const [asked, ...cancels] = agent.asked;
    const invokeId = asked?.query.get('id');
    expect(cancels.map(({ path, body }) => [path, body])).toEqual(
      [1, 2].map(() => ['/api/v1/sandboxes/demo/invoke/cancel', JSON.stringify({ invokeId })]),
    );
  });

  it('prints an object a line for programs', async () => {
    agent.events((answer) =>
      answer.send('start', begin).send('log', log('one\ttwo')).send('exit', exit(3)).end(),
    );
    const { code, out, err } = await start('-o', 'json');
    expect({ code, err }).toEqual({ code: 3, err: '' });
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { event: 'start', ...begin },
      { event: 'log', ...log('one\ttwo') },
      { event: 'exit', ...exit(3) },
    ]);
    expect((await start('-o', 'yaml')).code).toBe(2);
  });

  it('of somewhere else is cancelled by its id', async () => {
    agent.json(204);
    expect(await start('--cancel', ID)).toEqual({ code: 0, out: '', err: 'invoke cancelled: inv-1\n' });
    agent.json(404, { error: 'no invocation of this id is running' });
    expect(await start('--cancel', ID)).toMatchObject({
      code: 1,
      err: expect.stringContaining('no invocation'),
    });
  });

  it('says why it does not begin', async () => {
    agent.json(429, {
      error: 'concurrency_exceeded',
      limit: 2,
      inflight: 2,
      message: '2 of 2 invocations are running',
    });
    expect(await start()).toEqual({
      code: 1,
      out: '',
      err: 'Error from router (concurrency_exceeded): 2 of 2 invocations are running\n',
    });
  });
});
