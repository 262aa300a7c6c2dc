// SPDX-License-Identifier: Apache-2.0
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { FakePodExec } from '../testing/fakePodExec.ts';
import { FakeRuntime } from '../testing/fakeRuntime.ts';
import { ADMIN_KEY, ANN_KEY, BOB_KEY, Harness, keySecret } from '../testing/harness.ts';
import { TerminalClient } from '../testing/terminalClient.ts';

let runtime: FakeRuntime;
let podExec: FakePodExec;
let harness: Harness;
/** The runtime's end of the terminal opened last, and how many there were. */
let pty: WebSocket;
let dialled = 0;
let received: Buffer[];
let controls: Record<string, unknown>[];

beforeEach(async () => {
  runtime = await FakeRuntime.start();
  podExec = await FakePodExec.start();
  harness = await Harness.start(
    { runtimePort: runtime.port, terminalPingMs: 1000 },
    { apiServer: podExec.url },
  );
  received = [];
  controls = [];
  runtime.onPty = (socket) => {
    pty = socket;
    dialled++;
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) received.push(data);
      else controls.push(JSON.parse(data.toString()) as Record<string, unknown>);
    });
  };
});
afterEach(async () => {
  await harness.stop();
  await runtime.close();
  await podExec.close();
});

const open = async (
  options: { key?: string; binary?: boolean; name?: string } = {},
): Promise<TerminalClient> => {
  const before = dialled;
  const client = await TerminalClient.open(`${harness.url}/ws/terminal/${options.name ?? 'box'}`, options);
  await until(() => dialled > before, 'the runtime to be dialled');
  return client;
};
const typed = (): string => Buffer.concat(received).toString('utf8');

describe('clients of the sub-protocol', () => {
  it('get the bytes untouched, in the messages they came in', async () => {
    await harness.add({ name: 'box' });
    const client = await open({ binary: true });
    const chunks = [Buffer.from([0xf0, 0x9f]), Buffer.from([0x98, 0x80]), Buffer.from([0xff, 0x00, 0x0a])];
    for (const chunk of chunks) pty.send(chunk);
    await until(() => client.chunks.length === 3, 'the chunks');
    expect(client.chunks).toEqual(chunks);
    expect(await client.frame('ready')).toMatchObject({ session: 'main', offset: 0 });
  });

  it('type bytes, resize and ping', async () => {
    await harness.add({ name: 'box' });
    const client = await open({ binary: true });
    client.socket.send(Buffer.from([0x1b, 0x5b, 0x41, 0xff]));
    client.control({ type: 'resize', cols: 100, rows: 30 });
    client.control({ type: 'ping' });
    client.socket.send('not a frame');
    await until(() => controls.length === 2, 'the control frames');
    expect(Buffer.concat(received)).toEqual(Buffer.from([0x1b, 0x5b, 0x41, 0xff]));
    expect(controls).toEqual([{ type: 'resize', cols: 100, rows: 30 }, { type: 'ping' }]);
    pty.send('{"type":"pong","ts":5}');
    expect(await client.frame('pong')).toEqual({ type: 'pong', ts: 5 });
  });
});

describe('clients of text frames', () => {
  it('G-05: get whole characters wherever the output was cut, and no frame they do not know', async () => {
    await harness.add({ name: 'box' });
    const client = await open();
    const bytes = Buffer.from('héllo 😀 wörld');
    for (const byte of bytes) pty.send(Buffer.of(byte));
    await client.shows('héllo 😀 wörld');
    expect(client.output).not.toContain('\uFFFD');
    expect(client.frames.map((frame) => frame['type'])).not.toContain('ready');
    expect(client.frames[0]).toEqual({ type: 'output', stream: 'stdout', data: 'h' });
  });

  it('type text, in binary messages too, and whole characters across frames', async () => {
    await harness.add({ name: 'box' });
    const client = await open();
    client.type('ls 😀'.slice(0, 4));
    client.type('ls 😀'.slice(4));
    client.socket.send(Buffer.from('{"type":"input","data":"\\r"}'));
    client.socket.send('{"type":"inp');
    client.control({ type: 'resize', cols: 80, rows: 0 });
    await until(() => controls.length === 1, 'the resize');
    expect(typed()).toBe('ls 😀\r');
    expect(controls).toEqual([{ type: 'resize', cols: 80, rows: 1 }]);
  });

  it('section 7: paste a megabyte in one frame, and lose nothing of it', async () => {
    await harness.add({ name: 'box' });
    const client = await open();
    // JSON takes six bytes for each of these.
    const paste = '\u0007'.repeat(1024 * 1024 - 3) + 'end';
    client.type(paste);
    await until(() => received.reduce((sum, part) => sum + part.length, 0) === paste.length, 'the paste');
    expect(typed()).toBe(paste);
    expect(Math.max(...received.map((part) => part.length))).toBeLessThanOrEqual(32 * 1024);
  });

  it('G-04, B21: are told the exit code and see the last output before it', async () => {
    await harness.add({ name: 'box' });
    const client = await open();
    pty.send(Buffer.from('bye'));
    pty.send('{"type":"exit","code":3}');
    pty.close(1000);
    expect(await client.end()).toEqual({ code: 1000, reason: 'exit' });
    expect(client.frames).toEqual([
      { type: 'output', stream: 'stdout', data: 'bye' },
      { type: 'exit', code: 3 },
    ]);
  });
});

describe('G-09: a terminal ends', () => {
  it('when the sandbox is stopped, deleted or no longer shared', async () => {
    const sharing = { users: [{ identity: 'bob', level: 'collaborator' as const }] };
    const spec = { templateRef: { name: 'shell' }, createdBy: { sub: 'ann' }, sharing };
    const rows = [
      [{ spec: { ...spec, desiredState: 'Stopped' as const } }, 'sandbox_stopped', 4001],
      [{ status: { phase: 'Stopped' as const } }, 'sandbox_stopped', 4001],
      [{ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }, 'sandbox_deleted', 4001],
      [{ spec: { ...spec, sharing: {} } }, 'access_revoked', 4003],
    ] as const;
    for (const [index, [change, reason, code]] of rows.entries()) {
      const box = await harness.add({ name: `box-${index}`, spec });
      const client = await open({ key: BOB_KEY, name: `box-${index}` });
      harness.change(box, {
        ...change,
        metadata: { ...box.metadata, ...('metadata' in change ? change.metadata : {}) },
      });
      expect(await client.end()).toEqual({ code, reason });
      expect(client.frames.at(-1)).toEqual({ type: 'close', reason, code });
    }
  });

  it('when the key that opened it is revoked', async () => {
    await harness.add({ name: 'box' });
    const client = await open();
    const other = await open({ key: ADMIN_KEY });
    const { apiKeys } = harness.router.stores;
    apiKeys.deleteWatch(keySecret(ANN_KEY, { userId: 'ann' }));
    expect(await client.end()).toEqual({ code: 4003, reason: 'access_revoked' });
    expect(other.closed).toBeUndefined();
  });

  it('not when something else about the sandbox changes', async () => {
    const box = await harness.add({ name: 'box' });
    const client = await open();
    harness.change(box, { metadata: { ...box.metadata, labels: { a: 'b' } } });
    pty.send(Buffer.from('still here'));
    await client.shows('still here');
  });

  it('with an invitation to come back when the pod is lost', async () => {
    await harness.add({ name: 'box' });
    const client = await open();
    pty.terminate();
    expect((await client.end()).code).toBe(1011);
    expect(client.frames.at(-1)).toMatchObject({ type: 'error' });
  });

  it('with a notice when this replica goes, and leaves the pod', async () => {
    await harness.add({ name: 'box' });
    const client = await open();
    let left = false;
    pty.once('close', () => {
      left = true;
    });
    const closed = harness.router.close();
    expect(await client.end()).toEqual({ code: 1012, reason: 'router_drain' });
    expect(client.frames.at(-1)).toEqual({ type: 'notice', kind: 'router_drain' });
    await closed;
    await until(() => left, 'the pod to be left');
  });

  it('G-03, B21: and leaves the pod when the client goes', async () => {
    await harness.add({ name: 'box' });
    const client = await open();
    let code = 0;
    pty.once('close', (closeCode) => {
      code = closeCode;
    });
    client.socket.close(1000);
    await until(() => code !== 0, 'the pod to be left');
    expect(code).toBe(1000);
  });
});

describe('G-12, S5: viewers', () => {
  it('see everything and change nothing', async () => {
    const sharing = { users: [{ identity: 'bob', level: 'viewer' as const }] };
    await harness.add({ name: 'box', spec: { createdBy: { sub: 'ann' }, sharing } });
    const client = await open({ key: BOB_KEY });
    client.type('rm -rf /\r');
    client.control({ type: 'resize', cols: 1, rows: 1 });
    client.control({ type: 'ping' });
    await until(() => controls.length > 0, 'the ping');
    expect([received, controls]).toEqual([[], [{ type: 'ping' }]]);
    pty.send(Buffer.from('look'));
    await client.shows('look');
  });

  it.each([
    ['the runtime’s own program', false],
    ['a plain shell', true],
  ])('change nothing through the API server either, by %s', async (_name, missing) => {
    const sharing = { users: [{ identity: 'bob', level: 'viewer' as const }] };
    await harness.add({ name: 'box', nonce: '', spec: { createdBy: { sub: 'ann' }, sharing } });
    const typedIn: string[] = [];
    podExec.onExec = (exec) => {
      exec.onInput = (bytes) => typedIn.push(bytes.toString());
      if (missing && exec.command[1] === 'attach') exec.cannotStart();
      else exec.output('look');
    };
    const client = await TerminalClient.open(`${harness.url}/ws/terminal/box?mode=control`, { key: BOB_KEY });
    await client.shows('look');
    const sizes = podExec.execs.at(-1)?.sizes.length;
    client.type('rm -rf /\r');
    client.control({ type: 'resize', cols: 1, rows: 1 });
    client.control({ type: 'ping' });
    await client.frame('pong');
    podExec.execs.at(-1)?.output(' on');
    await client.shows('look on');
    expect([typedIn, podExec.execs.at(-1)?.sizes.length]).toEqual([[], sizes]);
    expect(podExec.execs[0]?.command.join(' ')).toContain('--mode view');
  });
});

describe('back-pressure', () => {
  const BLOCK = Buffer.alloc(64 * 1024, 'y');

  it('stops the pod while the client does not read', async () => {
    await harness.add({ name: 'box' });
    const client = await open({ binary: true });
    client.socket.pause();
    let sent = 0;
    // What the kernel's buffers take on three sockets is some megabytes; 64 MiB would all be in the router's memory.
    const flood = (): void => {
      while (sent < 64 * 1024 * 1024 && pty.bufferedAmount < 1024 * 1024) {
        pty.send(BLOCK);
        sent += BLOCK.length;
      }
    };
    const timer = setInterval(flood, 1);
    let settledAt = 0;
    await until(async () => {
      const before = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
      settledAt = sent;
      return before === sent;
    }, 'the flood to be held back');
    expect(settledAt).toBeLessThan(48 * 1024 * 1024);
    client.socket.resume();
    await until(() => sent >= 64 * 1024 * 1024, 'the flood to go on', 20_000);
    clearInterval(timer);
    await until(
      () => client.chunks.reduce((sum, part) => sum + part.length, 0) === sent,
      'every byte',
      20_000,
    );
  });

  it('stops the client while the pod does not read', async () => {
    await harness.add({ name: 'box' });
    const client = await open({ binary: true });
    pty.pause();
    const total = 64 * 1024 * 1024;
    for (let at = 0; at < total; at += BLOCK.length) client.socket.send(BLOCK);
    await until(async () => {
      const before = client.socket.bufferedAmount;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return before === client.socket.bufferedAmount;
    }, 'the client to be held back');
    expect(client.socket.bufferedAmount).toBeGreaterThan(16 * 1024 * 1024);
    pty.resume();
    await until(() => received.reduce((sum, part) => sum + part.length, 0) === total, 'every byte', 20_000);
  });
});

describe('heartbeats', () => {
  it('come from the router, with a ping, and only once', async () => {
    await harness.add({ name: 'box' });
    const client = await open();
    pty.send('{"type":"heartbeat","ts":1}');
    const beat = await client.frame('heartbeat');
    expect(Number(beat['ts'])).toBeGreaterThan(1);
    await until(() => client.pings > 0, 'a ping');
  });
});

describe('through the API server', () => {
  it('joins the session with the runtime’s own program', async () => {
    await harness.add({ name: 'box', nonce: '' });
    podExec.onExec = (exec) => {
      exec.onInput = (bytes) => exec.output(`you typed ${bytes.toString()}`);
      exec.output('$ ');
    };
    const client = await TerminalClient.open(`${harness.url}/ws/terminal/box?session=two&cols=100&rows=30`, {
      binary: true,
    });
    expect(await client.frame('ready')).toEqual({
      type: 'ready',
      session: 'two',
      offset: 0,
      cols: 100,
      rows: 30,
      reset: true,
    });
    const [exec] = podExec.execs;
    expect(exec?.command.slice(1)).toEqual([
      'attach',
      '--session',
      'two',
      '--mode',
      'control',
      '--cols',
      '100',
      '--rows',
      '30',
      '--who=key',
    ]);
    expect(exec?.tty).toBe(true);
    client.type('hi');
    await client.shows('$ you typed hi');
    client.control({ type: 'resize', cols: 90, rows: 20 });
    client.control({ type: 'ping' });
    await client.frame('pong');
    await until(() => exec?.sizes.at(-1)?.Width === 90, 'the new size');
    exec?.output('bye');
    exec?.exit(3);
    expect((await client.end()).code).toBe(1000);
    expect(client.output).toContain('bye');
    expect(client.frames.at(-1)).toEqual({ type: 'exit', code: 3 });
  });

  it('falls back to a plain shell where the runtime is not in the image', async () => {
    await harness.add({ name: 'box', nonce: '' });
    podExec.onExec = (exec) => {
      if (exec.command[1] === 'attach') exec.cannotStart();
      else exec.output('a shell');
    };
    const client = await TerminalClient.open(`${harness.url}/ws/terminal/box`);
    await client.shows('a shell');
    expect(podExec.execs[1]?.command.slice(0, 2)).toEqual(['/bin/sh', '-c']);
  });

  it('says so when there is no way in at all', async () => {
    await harness.add({ name: 'box', nonce: '' });
    podExec.onExec = (exec) => exec.cannotStart();
    const client = await TerminalClient.open(`${harness.url}/ws/terminal/box`);
    expect((await client.end()).code).toBe(1011);
    expect(await client.frame('error')).toMatchObject({ message: expect.any(String) });
  });
});
