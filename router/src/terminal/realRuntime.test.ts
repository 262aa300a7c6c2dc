// SPDX-License-Identifier: Apache-2.0
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Harness } from '../testing/harness.ts';
import { REAL_UID, RealRuntime } from '../testing/realRuntime.ts';
import { TerminalClient } from '../testing/terminalClient.ts';

let runtime: RealRuntime;
let harness: Harness;
let session = 0;

beforeAll(async () => {
  runtime = await RealRuntime.start(process.env);
}, 120_000);
afterAll(() => runtime.stop());
beforeEach(async () => {
  session++;
  harness = await Harness.start({ runtimePort: runtime.port });
  await harness.add({ name: 'box', uid: REAL_UID });
});
afterEach(() => harness.stop());

const open = (options: { binary?: boolean; query?: string; base?: string } = {}): Promise<TerminalClient> =>
  TerminalClient.open(
    `${options.base ?? harness.url}/ws/terminal/box?session=s${session}&cols=80&rows=24${options.query ?? ''}`,
    options,
  );

describe.each([
  ['the sub-protocol', true],
  ['text frames', false],
])('a shell over %s', (_name, binary) => {
  it('echoes, keeps characters whole and ends with the exit code of the shell', async () => {
    const client = await open({ binary });
    client.type("printf 'A%sZ\\n' 😀héllo\r");
    await client.shows('A😀hélloZ');
    client.type('exit 3\r');
    expect((await client.end()).code).toBe(1000);
    expect(await client.frame('exit')).toMatchObject({ type: 'exit', code: 3 });
  });

  it('shows a flood of emoji without one being torn', async () => {
    const client = await open({ binary });
    client.type('for i in $(seq 1 4000); do printf "a😀é"; done; echo fin"ish"\r');
    await client.shows('éfinish');
    expect(client.output).not.toContain('\uFFFD');
    expect(client.output.split('😀é').length - 1).toBeGreaterThanOrEqual(4000);
  });

  it('takes a pasted megabyte', async () => {
    const client = await open({ binary });
    client.type("stty -echo -icanon; echo re'ady'\r");
    await client.shows('ready');
    client.type("head -c 1048576 | cksum; echo do'ne'\r");
    client.type('x'.repeat(1_048_576));
    await client.shows('done', 30_000);
    // POSIX cksum of 1 MiB of x.
    expect(client.output).toMatch(/\b\d+ 1048576\b/);
  });

  it('is as large as the client says', async () => {
    const client = await open({ binary });
    client.type('stty size\r');
    await client.shows('24 80');
    client.control({ type: 'resize', cols: 101, rows: 33 });
    client.type('stty size\r');
    await client.shows('33 101');
  });
});

describe('coming back', () => {
  it('continues at the byte where the client left, over another router', async () => {
    const first = await open({ binary: true });
    const ready = await first.frame('ready');
    first.type('echo fir"st"\r');
    await first.shows('first');
    first.socket.terminate();
    const seen = Number(ready['offset']) + first.chunks.reduce((sum, chunk) => sum + chunk.length, 0);

    const other = await Harness.start({ runtimePort: runtime.port });
    try {
      await other.add({ name: 'box', uid: REAL_UID });
      const second = await open({ binary: true, base: other.url, query: `&since=${seen}` });
      expect(await second.frame('ready')).toMatchObject({ offset: seen, reset: false });
      second.type('echo sec"ond"\r');
      await second.shows('second');
      expect(second.output).not.toContain('first');
    } finally {
      await other.stop();
    }
  });

  it('replays everything to a client that remembers nothing', async () => {
    const first = await open({ binary: true });
    first.type('echo fir"st"\r');
    await first.shows('first');
    first.socket.close();
    const second = await open({ binary: true });
    expect(await second.frame('ready')).toMatchObject({ reset: true });
    await second.shows('first');
    const old = await open();
    await old.shows('first');
  });

  it('finds the shell again after this router has gone', async () => {
    const client = await open({ binary: true });
    client.type('MARK=kept; echo set"tled"\r');
    await client.shows('settled');
    await harness.router.close();
    expect((await client.end()).code).toBe(1012);
    harness = await Harness.start({ runtimePort: runtime.port });
    await harness.add({ name: 'box', uid: REAL_UID });
    const again = await open({ binary: true });
    again.type('echo "value=$MARK"\r');
    await again.shows('value=kept');
  });
});

describe('a watcher', () => {
  it('sees what the other types and can type nothing', async () => {
    const typist = await open();
    const watcher = await open({ query: '&mode=view' });
    watcher.type('echo intru"der"\r');
    typist.type('echo hel"lo"\r');
    await watcher.shows('hello');
    expect(watcher.output).not.toContain('intruder');
  });
});

const exec = (body: unknown) => harness.call('POST', '/api/v1/sandboxes/box/exec', { body });

describe('exec', () => {
  it('gives output and exit code, of a shell line and of a list', async () => {
    const line = await exec({ command: 'echo out; echo err >&2; exit 4' });
    expect(line).toMatchObject({
      status: 200,
      body: { stdout: 'out\n', stderr: 'err\n', exitCode: 4, timedOut: false },
    });
    const list = await exec({ command: ['printf', '%s', '$HOME'] });
    expect(list.body).toMatchObject({ stdout: '$HOME', exitCode: 0 });
  });

  it('kills the command and its children when the time is over', async () => {
    const started = performance.now();
    const answer = await exec({ command: 'echo begun; sleep 99 & sleep 99', timeout: 1 });
    expect(answer.body).toMatchObject({ timedOut: true, exitCode: -1, stdout: 'begun\n' });
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('kills the command when the client goes away', async () => {
    const abort = new AbortController();
    const mark = `sleep 9${process.pid}`;
    const call = fetch(`${harness.url}/api/v1/sandboxes/box/exec`, {
      method: 'POST',
      headers: { 'X-API-Key': 'atk_ann-0123456789abcdefghijklmnop' },
      body: JSON.stringify({ command: `${mark} & ${mark}`, timeout: 60 }),
      signal: abort.signal,
    });
    const running = async () =>
      (
        (await exec({ command: `ps -eo args | grep -c "^${mark}$"` })).body as { stdout: string }
      ).stdout.trim();
    await until(async () => (await running()) === '2', 'the command to run');
    abort.abort();
    await expect(call).rejects.toThrow();
    await until(async () => (await running()) === '0', 'the command to be gone');
  });
});
