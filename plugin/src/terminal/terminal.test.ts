// SPDX-License-Identifier: Apache-2.0
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type FakeHost,
  type FakeHostOptions,
  fakeHost,
  type PluginRun,
  runWith,
} from '../testing/fakeHost.ts';
import { FakeRouter } from '../testing/fakeRouter.ts';

const KEY = 'atk_very-secret-key';
let router: FakeRouter;
let host: FakeHost;
let running: Promise<PluginRun>;

function open(
  args: readonly string[] = [],
  options: FakeHostOptions = { interactive: true },
): Promise<PluginRun> {
  host = fakeHost({ ...options, variables: { AGENTTIER_API_URL: router.url, AGENTTIER_API_KEY: KEY } });
  running = runWith(host, 'terminal', 'demo', '-n', 'team', ...args);
  return running;
}
const shown = (): string => host.streams.out.text;
const sees = (text: string): Promise<void> =>
  until(() => shown().includes(text), `the terminal to show ${text}`);

beforeEach(async () => {
  router = await FakeRouter.start();
});
afterEach(async () => {
  host.interrupt.abort();
  await running;
  await router.stopListening();
});

describe('a terminal through the router', () => {
  it('attaches with the key in a header, and answers the shell’s exit code', async () => {
    void open(['--session', 'build']);
    const { path, query, headers } = await router.attached(1);
    expect(path).toBe('/ws/terminal/demo');
    expect(Object.fromEntries(query)).toEqual({
      altscreen: 'keep',
      namespace: 'team',
      session: 'build',
      cols: '80',
      rows: '24',
    });
    expect(headers['x-api-key']).toBe(KEY);
    expect(headers['sec-websocket-protocol']).toBe('agenttier.pty.v2');
    router.print('$ ');
    await sees('$ ');
    host.streams.in.write('exit 3\r');
    await until(() => router.input === 'exit 3\r');
    router.exit(3);
    expect(await running).toEqual({ code: 3, out: '$ ', err: '' });
    expect(host.terminal.rawChanges).toEqual([true, false]);
  });

  it('answers 128 + n for a shell that a signal ended', async () => {
    void open();
    await router.attached(1);
    router.exit(-1, 'SIGKILL');
    expect((await running).code).toBe(137);
  });

  it('sends the size at the start and at every change', async () => {
    void open();
    await router.attached(1);
    host.terminal.resize({ cols: 101, rows: 37 });
    await until(() => router.controls.some((frame) => frame['cols'] === 101));
    expect(router.controls).toEqual([
      { type: 'resize', cols: 80, rows: 24 },
      { type: 'resize', cols: 101, rows: 37 },
    ]);
  });

  it('takes a paste of 1 MiB whole and in messages that no peer refuses', async () => {
    void open();
    await router.attached(1);
    const paste = 'x'
      .repeat(63)
      .concat('\n')
      .repeat(16 * 1024);
    host.streams.in.write(paste);
    await until(() => router.input.length === paste.length, 'the paste to arrive');
    expect(router.input).toBe(paste);
  });

  it('stops reading while the terminal is stopped, and loses nothing', async () => {
    void open();
    await router.attached(1);
    host.streams.out.hold();
    const flood = Buffer.alloc(8 * 1024 * 1024, 'y\n');
    router.print(flood);
    await until(() => host.streams.out.writableLength > 0);
    host.streams.out.release();
    await until(() => host.streams.out.bytes.length === flood.length, 'all output');
    expect(host.streams.out.bytes.equals(flood)).toBe(true);
  });
});

describe('a dropped connection', () => {
  it('goes on exactly where it stopped, however often it drops', async () => {
    void open();
    await router.attached(1);
    let expected = '';
    for (let round = 1; round <= 5; round += 1) {
      router.print(`line-${round}a 😀\r\n`);
      await sees(`line-${round}a`);
      router.drop();
      router.print(`line-${round}b\r\n`); // printed while nobody listens
      expected += `line-${round}a 😀\r\nline-${round}b\r\n`;
      const { query } = await router.attached(round + 1);
      expect(Number(query.get('since'))).toBeLessThanOrEqual(router.end);
      await sees(`line-${round}b`);
    }
    expect(shown()).toBe(expected);
    router.exit(0);
    expect(await running).toMatchObject({ code: 0, err: '' });
  });

  it('is made again when the router is away for a while, with what was typed meanwhile', async () => {
    void open();
    await router.attached(1);
    router.print('before ');
    await sees('before ');
    for (let refusal = 0; refusal < 3; refusal += 1) router.refuseNext(503, { error: 'starting' });
    router.drop();
    await until(() => router.attachments.length >= 2, 'the first attempt to connect again');
    host.streams.in.write('typed ');
    host.streams.in.write('blindly');
    router.print('meanwhile ');
    await sees('meanwhile ');
    await until(() => router.input === 'typed blindly');
    expect(shown()).toBe('before meanwhile ');
  });

  it('is made again after a drain, a busy router and a gateway error', async () => {
    void open();
    await router.attached(1);
    router.refuseNext(503, { error: 'this replica is shutting down' });
    router.refuseNext(502, 'Bad gateway');
    router.closeAll(1012, 'router_drain');
    await until(() => router.attachments.length === 4 && router.clients === 1);
    router.exit(0);
    expect((await running).code).toBe(0);
  });

  it('shows a notice of the router beside the output, and in an editor on the last row only', async () => {
    void open();
    await router.attached(1);
    router.print('$ ');
    await sees('$ ');
    router.control({ type: 'notice', kind: 'idle_warning', message: 'it stops soon' });
    await sees('agenttier: it stops soon');
    expect(shown()).toContain('\r\n\u001b[7m agenttier: it stops soon \u001b[0m\r\n');
    router.print('\u001b[?1049h');
    await sees('1049h');
    router.control({ type: 'notice', kind: 'later_kind', message: 'now' });
    await sees('\u001b7\u001b[999;1H\u001b[7m agenttier: now \u001b[0m\u001b[K\u001b8');
    router.exit(0);
    await running;
  });

  it('clears the screen first when the output in between is gone', async () => {
    void open();
    await router.attached(1);
    router.print('old screen');
    await sees('old screen');
    router.drop();
    router.print('x'.repeat(100));
    router.keep(10);
    await router.attached(2);
    await sees('x'.repeat(10));
    expect(shown()).toBe(`old screen\u001b[0m\u001b[2J\u001b[H${'x'.repeat(10)}`);
  });

  it('skips what a peer repeats', async () => {
    void open();
    await router.attached(1);
    router.print('abc');
    await sees('abc');
    router.control({ type: 'ready', session: 'main', offset: 1, cols: 80, rows: 24, reset: false });
    for (const part of ['b', 'cd', 'e']) router.print(part);
    await sees('e');
    expect(shown()).toBe('abcde');
  });

  it('is given up when it cannot be made again in time', async () => {
    void open(['--reconnect-timeout', '300ms']);
    await router.attached(1);
    const { url } = router;
    await router.stopListening();
    const { code, err } = await running;
    expect(code).toBe(1);
    expect(err).toContain(`error: unable to reach the router at ${url}`);
    expect(host.terminal.raw).toBe(false);
    await router.listen();
  });
});

describe('an end that is final', () => {
  it.each([
    [4001, 'sandbox_stopped', 'error: the sandbox was stopped or deleted (sandbox_stopped)\n'],
    [4003, 'access_revoked', 'error: access to the sandbox was taken away (access_revoked)\n'],
    [1000, '', 'error: the terminal was closed\n'],
  ])('close code %d', async (code, reason, err) => {
    void open();
    await router.attached(1);
    router.closeAll(code, reason);
    expect(await running).toMatchObject({ code: 1, err });
    expect(router.attachments).toHaveLength(1);
  });

  it.each([
    [
      401,
      { error: 'invalid_api_key', message: 'this API key is unknown' },
      'error: this API key is unknown\n',
    ],
    [404, { error: 'sandbox demo not found' }, 'error: sandbox demo not found\n'],
    [409, { error: 'sandbox is Stopped' }, 'error: sandbox is Stopped\n'],
    [503, { error: 'busy' }, 'error: busy\n'],
  ])('HTTP %d at the first attempt', async (status, body, err) => {
    router.refuseNext(status, body);
    expect(await open()).toEqual({ code: 1, out: '', err });
    expect(router.attachments).toHaveLength(1);
  });

  it('an error frame', async () => {
    void open();
    await router.attached(1);
    router.control({ type: 'error', message: 'no shell in this image' });
    router.closeAll(1011);
    expect(await running).toMatchObject({ code: 1, err: 'error: no shell in this image\n' });
  });

  it('never tells the key', async () => {
    router.refuseNext(401, { error: `bad key ${KEY}` });
    expect((await open()).err).toBe('error: bad key [hidden]\n');
  });
});

describe('leaving', () => {
  it('detaches by Ctrl-] and leaves the shell running', async () => {
    void open();
    await router.attached(1);
    router.print('$ ');
    await sees('$ ');
    host.streams.in.write('make\r\u001dnot sent');
    expect(await running).toEqual({
      code: 0,
      out: '$ ',
      err: '\ndetached; the shell goes on, reattach with: kubectl agenttier terminal demo\n',
    });
    await until(() => router.input === 'make\r');
    expect(host.terminal.raw).toBe(false);
  });

  it('detaches while there is no connection', async () => {
    void open();
    await router.attached(1);
    await router.stopListening();
    host.streams.in.write('\u001d');
    expect((await running).code).toBe(0);
    await router.listen();
  });

  it('hands Ctrl-] and Ctrl-C on where they are not the detach key', async () => {
    void open(['--detach-key', 'ctrl-a']);
    await router.attached(1);
    host.streams.in.write('\u001d\u0003');
    await until(() => router.input === '\u001d\u0003');
    host.streams.in.write('\u0001');
    expect((await running).code).toBe(0);
  });

  it('gives back a normal screen when it leaves an editor', async () => {
    void open();
    await router.attached(1);
    router.print('\u001b[?1049h\u001b[?25');
    router.print('l\u001b[?2004hediting');
    await sees('editing');
    host.streams.in.write('\u001d');
    await running;
    expect(shown().split('editing')[1]).toBe('\u001b[?1049l\u001b[?2004l\u001b[?25h\u001b[0m');
  });

  it('restores the terminal at any other end of the process', async () => {
    void open();
    await router.attached(1);
    expect(host.terminal.raw).toBe(true);
    host.terminal.endProcess();
    expect(host.terminal.raw).toBe(false);
  });

  it('ends with 130 when it is interrupted from outside', async () => {
    void open();
    await router.attached(1);
    host.interrupt.abort();
    expect(await running).toMatchObject({ code: 130, err: '' });
    expect(host.terminal.raw).toBe(false);
  });

  it('sends the end of a pipe as Ctrl-D, without raw mode or sizes', async () => {
    void open([], { interactive: false });
    await router.attached(1);
    host.streams.in.end('exit 3\n');
    await until(() => router.input === 'exit 3\n\u0004');
    router.exit(3);
    expect((await running).code).toBe(3);
    expect(host.terminal.rawChanges).toEqual([]);
    expect(router.controls).toEqual([]);
  });
});

it.each([
  [['--detach-key', 'f1'], /--detach-key: "f1" is not a key/],
  [['--reconnect-timeout', 'soon'], /--reconnect-timeout: "soon" is not a duration/],
  [['--api-url', 'ftp://x'], /the router's URL must start with http/],
])('refuses %j', async (args, message) => {
  expect((await open(args)).err).toMatch(message);
});
