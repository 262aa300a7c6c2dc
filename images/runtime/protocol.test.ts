// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Runtime, TOKEN, buildRuntime, until } from './testRuntime.ts';

let program = '';
let runtime: Runtime;

beforeAll(async () => {
  program = buildRuntime();
  runtime = await Runtime.start(program, ['--shell', '/bin/sh'], {
    AGENTTIER_RUNTIME_TOKEN: 'must-not-leak',
    PS1: '',
    LC_ALL: 'C.UTF-8',
  });
}, 240_000);

afterAll(async () => {
  await runtime?.stop();
  if (program !== '') rmSync(dirname(program), { recursive: true, force: true });
});

describe('HTTP', () => {
  it('tells health to anybody and all else only to the bearer of the token', async () => {
    const base = `http://${runtime.address}`;
    expect(await (await fetch(`${base}/healthz`)).json()).toEqual({ status: 'ok' });
    for (const path of ['/version', '/activity', '/sessions', '/pty', '/nothing']) {
      const answer = await fetch(base + path);
      expect(answer.status, path).toBe(401);
      expect(await answer.json()).toEqual({ error: 'unauthorized', code: 401 });
    }
    const wrong = await fetch(`${base}/version`, { headers: { authorization: `Bearer ${TOKEN}x` } });
    expect(wrong.status).toBe(401);
  });

  it('names its version and protocol', async () => {
    const answer = (await (await runtime.fetch('/version')).json()) as Record<string, unknown>;
    expect(answer).toMatchObject({ protocol: 2, version: 'dev' });
    expect(answer['capabilities']).toContain('pty.v2');
  });

  it.each([
    ['GET', '/nothing', 404],
    ['GET', '/exec', 405],
    ['POST', '/sessions', 405],
    ['DELETE', '/sessions/nobody', 404],
    ['GET', '/pty?session=../x', 400],
    ['GET', '/pty?shell=bash', 400],
    ['GET', '/pty?mode=root', 400],
    ['GET', '/pty?cols=wide', 400],
  ])('answers %s %s with %i and an error body', async (method, path, status) => {
    const answer = await runtime.fetch(path, { method });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.json()).toMatchObject({ code: status, error: expect.any(String) });
  });

  it('follows a rotated token without a restart', async () => {
    writeFileSync(runtime.tokenFile, 'another\n');
    expect((await runtime.fetch('/version')).status).toBe(401);
    writeFileSync(runtime.tokenFile, `another\n${TOKEN}\n`);
    expect((await runtime.fetch('/version')).status).toBe(200);
  });
});

describe('exec', () => {
  it.each([
    [
      { command: ['sh', '-c', 'echo out; echo err >&2; exit 3'] },
      { exitCode: 3, stdout: 'out\n', stderr: 'err\n' },
    ],
    [
      { command: ['cat'], stdin: 'héllo 🙂\n' },
      { exitCode: 0, stdout: 'héllo 🙂\n' },
    ],
    [{ command: ['sh', '-c', 'echo $A-$B'], env: { A: '1', B: '2' } }, { stdout: '1-2\n' }],
    [{ command: ['pwd'], workingDir: '/usr' }, { stdout: '/usr\n' }],
    [{ command: ['sh', '-c', 'kill -9 $$'] }, { exitCode: 137 }],
    [
      { command: ['sleep', '100'], timeoutSeconds: 1 },
      { exitCode: -1, timedOut: true },
    ],
    [{ command: ['no-such-program'] }, { exitCode: -1, stderr: expect.stringMatching(/^\[runtime\] /) }],
  ])('%j', async (body, expected) => {
    expect(await runtime.exec(body)).toMatchObject(expected);
  });

  it.each([
    ['not json', 400],
    ['{}', 400],
    ['{"command":[]}', 400],
    ['{"command":["true"],"user":"root"}', 400],
    ['{"command":["true"]}{}', 400],
    ['{"command":["true"],"timeoutSeconds":-1}', 400],
    [JSON.stringify({ command: ['true'], stdin: 'x'.repeat(9 << 20) }), 413],
  ])('refuses %.40s', async (body, status) => {
    const answer = await runtime.fetch('/exec', { method: 'POST', body });
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code: status });
  });

  it('starts in the workspace, at home there, and without the credentials of the runtime', async () => {
    const { stdout } = await runtime.exec({ command: ['sh', '-c', 'pwd; echo $HOME; env'] });
    const [pwd, home] = String(stdout).split('\n');
    expect([pwd, home]).toEqual([runtime.workdir, runtime.workdir]);
    expect(stdout).not.toContain('must-not-leak');
    expect(stdout).not.toContain('AGENTTIER_RUNTIME');
  });

  it('sends its headers early when the command is slow', async () => {
    const began = Date.now();
    const answer = await runtime.fetch('/exec', {
      method: 'POST',
      body: JSON.stringify({ command: ['sleep', '4'] }),
    });
    expect(Date.now() - began).toBeLessThan(3500);
    expect(await answer.json()).toMatchObject({ exitCode: 0 });
  });

  it('kills what a client leaves behind', async () => {
    const gone = new AbortController();
    const file = join(runtime.workdir, 'pid');
    const body = JSON.stringify({ command: ['sh', '-c', `echo $$ > ${file}; sleep 1000; true`] });
    const left = runtime.fetch('/exec', { method: 'POST', body, signal: gone.signal }).catch(() => 'gone');
    const pid = await until('a pid', () => Number(readOrNothing(file)) || undefined);
    gone.abort();
    await left;
    await until('the end of the command', () => (isAlive(pid) ? undefined : true));
  });

  it('is activity', async () => {
    const before = Date.now();
    await runtime.exec({ command: ['true'] });
    const { lastActivity } = (await (await runtime.fetch('/activity')).json()) as { lastActivity: string };
    expect(Date.parse(lastActivity)).toBeGreaterThanOrEqual(before);
  });
});

describe('a terminal', () => {
  it('G-04: begins with a ready frame and ends with the exit code and close 1000', async () => {
    const terminal = runtime.terminal({ session: 'exits', cols: 90, rows: 33 });
    const ready = await terminal.frame('ready');
    expect(terminal.frames[0]).toEqual(ready);
    expect(terminal.socket.protocol).toBe('agenttier.pty.v2');
    expect(ready).toMatchObject({ session: 'exits', cols: 90, rows: 33, reset: true });
    await terminal.type('stty size; echo $TERM $0\n');
    await terminal.shows('33 90');
    await terminal.shows('xterm-256color /bin/sh');
    const began = Date.now();
    await terminal.type('exit 3\n');
    expect(await terminal.frame('exit')).toEqual({ type: 'exit', code: 3 });
    expect(await terminal.closed).toBe(1000);
    expect(Date.now() - began).toBeLessThan(1000);
  });

  it('names the signal that ended its shell', async () => {
    const terminal = runtime.terminal({ session: 'killed' });
    await terminal.type('kill -9 $$\n');
    expect(await terminal.frame('exit')).toEqual({ type: 'exit', code: 137, signal: 'SIGKILL' });
    expect(await terminal.closed).toBe(1000);
  });

  it('answers pings and follows resizes, the last one wins', async () => {
    const terminal = runtime.terminal({ session: 'sizes' });
    await terminal.frame('ready');
    terminal.send({ type: 'ping' });
    expect((await terminal.frame('pong')).ts).toBeGreaterThan(1.7e12);
    terminal.send({ type: 'resize', cols: 70_000, rows: 0 });
    terminal.send({ type: 'unknown' });
    terminal.socket.send('{no json');
    terminal.send({ type: 'resize', cols: 101, rows: 31 });
    await terminal.type('stty size\n');
    await terminal.shows('31 101');
    await terminal.cut();
  });

  it('replays exactly what a cut client has missed', async () => {
    const first = runtime.terminal({ session: 'replay' });
    await first.type("stty -echo; echo rea''dy\n");
    await first.shows('ready\r\n');
    await first.type('(sleep 0.2; seq 20000; touch printed; echo fin) &\n');
    await first.cut();
    const seen = first.position;
    const printed = join(runtime.workdir, 'printed');
    await until('output without a client', () => existsSync(printed) || undefined);
    const second = runtime.terminal({ session: 'replay', since: seen });
    expect(await second.frame('ready')).toMatchObject({ reset: false, offset: seen });
    const whole = await second.shows('fin\r\n');
    const numbers = Array.from({ length: 20_000 }, (_, i) => `${i + 1}\r\n`).join('');
    expect(whole.endsWith(`${numbers}fin\r\n`)).toBe(true);
    const stranger = runtime.terminal({ session: 'replay', since: 1 });
    expect(await stranger.frame('ready')).toMatchObject({ reset: true, offset: first.offset });
    expect(await stranger.shows('fin\r\n')).toBe(first.text + whole.slice(first.position - seen));
    await Promise.all([second.cut(), stranger.cut()]);
  });

  it('is shared; a viewer sees all and changes nothing', async () => {
    const one = runtime.terminal({ session: 'shared', cols: 80, rows: 25 });
    await one.type('stty -echo\n');
    const two = runtime.terminal({ session: 'shared' });
    const viewer = runtime.terminal({ session: 'shared', mode: 'view', cols: 10, rows: 10 });
    expect(await viewer.frame('ready')).toMatchObject({ cols: 80, rows: 25 });
    viewer.send({ type: 'resize', cols: 10, rows: 10 });
    await viewer.type('echo intruder\n');
    await two.type("echo fr''om-two; stty size\n");
    for (const terminal of [one, two, viewer]) {
      await terminal.shows('from-two\r\n25 80\r\n');
      expect(terminal.text).not.toContain('intruder');
    }
    const { sessions } = (await (await runtime.fetch('/sessions')).json()) as {
      sessions: Record<string, unknown>[];
    };
    expect(sessions.find(({ name }) => name === 'shared')).toMatchObject({
      clients: 3,
      cols: 80,
      rows: 25,
      exitCode: null,
      pid: expect.any(Number),
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect((await runtime.fetch('/sessions/shared', { method: 'DELETE' })).status).toBe(204);
    expect(await Promise.all([one.closed, two.closed, viewer.closed])).toEqual([1000, 1000, 1000]);
  });

  it('G-03: is one shell after twenty reloads, with nobody left behind', async () => {
    const session = async (): Promise<{ pid: number; clients: number } | undefined> => {
      const { sessions } = (await (await runtime.fetch('/sessions')).json()) as {
        sessions: { name: string; pid: number; clients: number }[];
      };
      return sessions.find(({ name }) => name === 'reload');
    };
    const pids = new Set<number | undefined>();
    for (let reload = 0; reload < 20; reload++) {
      const terminal = runtime.terminal({ session: 'reload' });
      await terminal.frame('ready');
      pids.add((await session())?.pid);
      await terminal.cut();
    }
    expect(pids.size).toBe(1);
    await until('nobody to be attached', async () => ((await session())?.clients === 0 ? true : undefined));
  });

  it('tells everybody who is there, and how large it is now', async () => {
    const ann = runtime.terminal({ session: 'company', who: 'Ann', cols: 80, rows: 24 });
    await ann.frame('presence');
    const bob = runtime.terminal({ session: 'company', who: 'Bob', mode: 'view' });
    const both = [
      { name: 'Ann', mode: 'control' },
      { name: 'Bob', mode: 'view' },
    ];
    expect((await bob.frame('presence')).people).toEqual(both);
    ann.send({ type: 'resize', cols: 99, rows: 33 });
    expect(await bob.frame('size')).toEqual({ type: 'size', cols: 99, rows: 33 });
    expect(ann.frames.at(-1)).toEqual({ type: 'presence', people: both });
    await Promise.all([ann.cut(), bob.cut()]);
  });

  it('leaves the alternate screen out, unless it is to be kept', async () => {
    const full = "printf 'A\\033[?1049;25hB\\033[?1049lC\\n'\n";
    const stripped = runtime.terminal({ session: 'strip' });
    await stripped.type(full);
    await stripped.shows('A\u001b[?25hBC\r\n');
    const kept = runtime.terminal({ session: 'keep', altscreen: 'keep' });
    await kept.type(full);
    await kept.shows('A\u001b[?1049;25hB\u001b[?1049lC\r\n');
    await Promise.all([stripped.cut(), kept.cut()]);
  });

  it('is opened by a ticket once, whichever way it is used', async () => {
    const use = (nonce: string): Promise<Response> => runtime.fetch(`/tickets/${nonce}`, { method: 'POST' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => use('one')));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      204,
      ...Array(19).fill(409),
    ]);
    expect((await runtime.fetch('/pty?ticket=one')).status).toBe(409);
    const terminal = runtime.terminal({ session: 'ticket', ticket: 'two' });
    await terminal.frame('ready');
    expect((await use('two')).status).toBe(409);
    await terminal.cut();
  });

  it('takes a paste of one mebibyte whole', async () => {
    const terminal = runtime.terminal({ session: 'paste' });
    await terminal.type("stty raw -echo; echo rea''dy; head -c 1048576 > pasted; stty sane; echo do''ne\n");
    await terminal.shows('ready');
    const paste = Buffer.from(
      Array.from({ length: 95_326 }, (_, i) => `${String(i).padStart(7, '0')}🙂`).join(''),
    );
    await terminal.type(paste.subarray(0, 1_048_576));
    await terminal.shows('done');
    expect(readFileSync(join(runtime.workdir, 'pasted')).equals(paste.subarray(0, 1_048_576))).toBe(true);
    await terminal.cut();
  });

  it('delivers a flood whole to a client that reads slowly', async () => {
    const terminal = runtime.terminal({ session: 'flood' });
    await terminal.type("stty -echo; echo rea''dy\n");
    await terminal.shows('ready\r\n');
    const before = terminal.bytes.length;
    await terminal.type('seq 500000; echo fin\n');
    for (let pause = 0; pause < 10; pause++) {
      terminal.socket.pause();
      await new Promise((resolve) => setTimeout(resolve, 30));
      terminal.socket.resume();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await terminal.shows('fin\r\n');
    const expected = Array.from({ length: 500_000 }, (_, i) => `${i + 1}\r\n`).join('');
    expect(terminal.text.slice(before) === `${expected}fin\r\n`).toBe(true);
    await terminal.cut();
  });

  it('goes on while its token is replaced and its window changes all the time, and loses nothing', async () => {
    const terminal = runtime.terminal({ session: 'rotated' });
    await terminal.type("stty -echo; echo rea''dy\n");
    await terminal.shows('ready\r\n');
    const before = terminal.bytes.length;
    writeFileSync(runtime.tokenFile, 'another\n');
    try {
      await until('the old token to be refused', async () =>
        (await runtime.fetch('/version')).status === 401 ? true : undefined,
      );
      await terminal.type('seq 10000; echo fin\n');
      for (let cols = 40; !terminal.text.includes('fin\r\n'); cols = cols > 200 ? 40 : cols + 1) {
        terminal.send({ type: 'resize', cols, rows: 24 });
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      writeFileSync(runtime.tokenFile, TOKEN);
    }
    const lines = Array.from({ length: 10_000 }, (_, i) => `${i + 1}\r\n`).join('');
    expect(terminal.text.slice(before) === `${lines}fin\r\n`).toBe(true);
    await terminal.cut();
  });

  it('says why when there is no shell', async () => {
    const terminal = runtime.terminal({ session: 'none', shell: '/no/such/shell' });
    expect((await terminal.frame('error')).message).toContain('/no/such/shell');
    expect(await terminal.closed).toBe(1011);
  });

  it('is not opened to a client without the token', async () => {
    const socket = new WebSocket(`ws://${runtime.address}/pty`);
    const status = await new Promise((resolve) => {
      socket.once('unexpected-response', (_, answer) => resolve(answer.statusCode));
      socket.once('error', () => undefined);
    });
    expect(status).toBe(401);
  });
});

describe('a terminal of the first protocol', () => {
  it('speaks JSON text with whole characters, and tells the exit', async () => {
    const terminal = runtime.oldTerminal({ session: 'old' });
    await terminal.type("stty -echo; echo rea''dy\n");
    await terminal.shows('ready\r\n');
    const line = '🙂漢é'.repeat(3000);
    writeFileSync(join(runtime.workdir, 'emoji'), `x${line}\n`);
    await terminal.type("cat emoji; echo fi''n\n");
    await terminal.shows('fin');
    expect(terminal.text).toContain(`x${line}\r\nfin`);
    expect(terminal.text).not.toContain('\ufffd');
    terminal.send({ type: 'ping' });
    await terminal.oldFrame('pong');
    terminal.send({ type: 'resize', cols: 77, rows: 22 });
    await terminal.type('stty size\n');
    await terminal.shows('22 77');
    await terminal.type('exit 4\n');
    expect(await terminal.oldFrame('exit')).toEqual({ type: 'exit', code: 4 });
    expect(await terminal.closed).toBe(1000);
  });

  it('takes a large input in one frame', async () => {
    const terminal = runtime.oldTerminal({ session: 'old-paste' });
    await terminal.type("stty raw -echo; echo rea''dy; head -c 50000 | wc -c; stty sane\n");
    await terminal.shows('ready');
    await terminal.type('y'.repeat(50_000));
    await terminal.shows('50000');
    await terminal.cut();
  });
});

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  return /^State:\s+[^Z]/m.test(readOrNothing(`/proc/${pid}/status`));
}
