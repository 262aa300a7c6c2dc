// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../testing/until.ts';
import { connectTo } from './connect.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const SERVER = `
const server = require('node:net').createServer((socket) => socket.write('hello'));
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));
`;

/**
 * A listener that takes nobody in until it wakes: with its queue full the kernel drops every SYN without a word, and after
 * that answers the next one. The dropped ones are repeated after a second, as for a pod whose network is not there yet.
 */
async function sleepingListener(): Promise<{ readonly port: number; readonly wake: () => void }> {
  const child: ChildProcess = spawn(process.execPath, ['-e', SERVER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  closers.push(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  const port = Number(line.toString());
  child.kill('SIGSTOP');
  const queued: Socket[] = [];
  closers.push(() => queued.forEach((socket) => socket.destroy()));
  // Queues hold one more than they are told; the one that gets no answer finds it full.
  await until(() => {
    if (queued.every(({ connecting }) => !connecting)) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      queued.push(socket);
      return false;
    }
    return queued.length > 2;
  }, 'the queue to be full');
  return { port, wake: () => void child.kill('SIGCONT') };
}

function counting(): { readonly tries: Socket[]; readonly dial: (host: string, port: number) => Socket } {
  const tries: Socket[] = [];
  return {
    tries,
    dial: (host, port) => {
      const socket = connect(port, host);
      tries.push(socket);
      return socket;
    },
  };
}

describe('connectTo', () => {
  it('knocks again when the first packet is lost, and leaves the first try', async () => {
    const { port, wake } = await sleepingListener();
    const { tries, dial } = counting();
    const standing = connectTo({ host: '127.0.0.1', port, timeoutMs: 30_000, dial });
    await until(() => tries.length === 1, 'the first try');
    await new Promise(setImmediate);
    wake();
    const socket = await standing;
    closers.push(() => socket.destroy());
    expect(tries.indexOf(socket)).toBeGreaterThan(0);
    expect(String((await once(socket, 'data'))[0])).toBe('hello');
    expect(tries.filter((each) => each !== socket).every(({ destroyed }) => destroyed)).toBe(true);
  });

  it('ends with ETIMEDOUT when nobody answers, and keeps no socket', async () => {
    const { port } = await sleepingListener();
    const { tries, dial } = counting();
    const standing = connectTo({ host: '127.0.0.1', port, timeoutMs: 250, dial });
    await expect(standing).rejects.toMatchObject({ code: 'ETIMEDOUT', syscall: 'connect' });
    expect(tries.length).toBeGreaterThan(1);
    expect(tries.every(({ destroyed }) => destroyed)).toBe(true);
  });

  it('takes a refusal for an answer', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const { tries, dial } = counting();
    const standing = connectTo({ host: '127.0.0.1', port, timeoutMs: 30_000, dial });
    await expect(standing).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(tries).toHaveLength(1);
  });

  it('gives up with its signal', async () => {
    const { port } = await sleepingListener();
    const gone = new AbortController();
    const { tries, dial } = counting();
    const standing = connectTo({ host: '127.0.0.1', port, timeoutMs: 30_000, signal: gone.signal, dial });
    gone.abort(new Error('enough'));
    await expect(standing).rejects.toThrow('enough');
    expect(tries[0]?.destroyed).toBe(true);
    await expect(connectTo({ host: '127.0.0.1', port, timeoutMs: 1, signal: gone.signal })).rejects.toThrow(
      'enough',
    );
  });
});
