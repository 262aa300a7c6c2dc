// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeAgent } from '../testing/fakeAgent.ts';
import { type FakeHost, fakeHost, type PluginRun, runWith } from '../testing/fakeHost.ts';
import { splitWords } from './words.ts';

let agent: FakeAgent;
let host: FakeHost;
let folder: string;
const start = (...args: readonly string[]): Promise<PluginRun> => {
  host = fakeHost({ variables: { AGENTTIER_API_URL: agent.url, AGENTTIER_API_KEY: 'atk_key' } });
  return runWith(host, 'configure', 'demo', ...args);
};
beforeEach(async () => {
  agent = await FakeAgent.start();
  folder = await mkdtemp(join(tmpdir(), 'agenttier-'));
});
afterEach(() => agent.close());

const result = (over: object = {}): object => ({
  lastConfiguredAt: '',
  installCommandHash: 'abc',
  installExitCode: 0,
  skipped: false,
  ...over,
});

describe('configure', () => {
  it('sends files and commands, and shows the log', async () => {
    const bytes = Buffer.from(Array.from({ length: 500_000 }, (_, i) => i % 251));
    await writeFile(join(folder, 'a=b.bin'), bytes);
    await writeFile(join(folder, 'empty'), '');
    agent.events((answer) =>
      answer
        .send('log', { stream: 'stdout', data: 'Collecting' })
        .send('log', { stream: 'stderr', data: 'warning' })
        .send('result', result())
        .end(),
    );
    const files = [
      `--file=/workspace/a=${join(folder, 'a=b.bin')}`,
      `--file=/workspace/é=${join(folder, 'empty')}`,
    ];
    const answer = await start(...files, '--install', `pip install 'a b'`, '--entrypoint', 'python3 main.py');
    expect(answer).toEqual({
      code: 0,
      out: 'Collecting\nconfigure: install exit 0, hash=abc, skipped=false\n',
      err: 'warning\n',
    });
    expect(JSON.parse(agent.asked[0]?.body ?? '')).toEqual({
      files: [
        { path: '/workspace/a', contentBase64: bytes.toString('base64') },
        { path: '/workspace/é', contentBase64: '' },
      ],
      installCommand: ['pip', 'install', 'a b'],
      entrypoint: ['python3', 'main.py'],
    });
  });

  it('prints an object a line for programs', async () => {
    agent.events((answer) =>
      answer
        .send('log', { stream: 'stderr', data: 'x' })
        .send('result', result({ installExitCode: 4 }))
        .end(),
    );
    const { code, out, err } = await start('--install', 'make', '-o', 'json');
    expect({ code, err }).toEqual({ code: 4, err: '' });
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { event: 'log', stream: 'stderr', data: 'x' },
      { event: 'result', ...result({ installExitCode: 4 }) },
    ]);
  });

  it('ends as the installation does', async () => {
    for (const [installExitCode, code] of [
      [7, 7],
      [-1, 1],
    ]) {
      agent.events((answer) => answer.send('result', result({ installExitCode })).end());
      expect((await start('--install', 'make')).code).toBe(code);
    }
    agent.events((answer) => answer.send('error', { phase: 'files', message: 'the volume is full' }).end());
    expect(await start('--install', 'make')).toMatchObject({
      code: 1,
      err: 'error: files: the volume is full\n',
    });
    agent.events((answer) => answer.send('log', { stream: 'stdout', data: 'x' }).end());
    expect(await start('--install', 'make')).toMatchObject({
      code: 1,
      err: expect.stringContaining('it goes on'),
    });
  });

  it('lets the installation go on at Ctrl-C', async () => {
    agent.events((answer) => answer.send('log', { stream: 'stdout', data: 'begun' }));
    const running = start('--install', 'make');
    await until(() => host.streams.out.text === 'begun\n');
    host.interrupt.abort();
    expect(await running).toMatchObject({
      code: 130,
      err: expect.stringContaining('goes on in the sandbox'),
    });
  });

  it.each([
    [[], 2, 'nothing to configure'],
    [['--file', 'agent.py'], 1, 'write REMOTE=LOCAL'],
    [['--file', '/workspace/x=/no/such'], 1, 'there is no file'],
    [['--install', `echo 'x`], 1, 'is not closed'],
    [['--entrypoint', ' '], 1, 'needs a command'],
  ])('%j is no command', async (args, code, text) => {
    expect(await start(...args)).toMatchObject({ code, err: expect.stringContaining(text) });
    expect(agent.asked).toEqual([]);
  });
});

describe('words', () => {
  it.each([
    [`a  b\tc`, ['a', 'b', 'c']],
    [`'a b'c "d \\"e\\" \\f" g\\ h ''`, ['a bc', 'd "e" \\f', 'g h', '']],
    [`sh -c 'echo "$X"'`, ['sh', '-c', 'echo "$X"']],
  ])('%s', (text, words) => {
    expect(splitWords('--install', text)).toEqual(words);
  });
});
