// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { statusBody } from '../testing/scriptedServer.ts';
import { until } from '../testing/until.ts';
import type { ClusterAccess } from './client.ts';
import { execInPod } from './exec.ts';
import type { ExecOptions, ExecStream } from './exec.ts';

/** Plays the API server's side of exec: one connection, channels by first byte. */
class Pod {
  readonly http: Server = createServer();
  readonly sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => this.choose(offered),
  });
  protocol = 'v5.channel.k8s.io';
  refusal: { code: number; body: unknown } | undefined;
  request: IncomingMessage | undefined;
  socket: WebSocket | undefined;
  readonly received: Buffer[] = [];
  onOpen: (() => void) | undefined;

  constructor() {
    this.http.on('upgrade', (request, socket, head) => {
      this.request = request;
      if (this.refusal) {
        const body = JSON.stringify(this.refusal.body);
        socket.end(
          `HTTP/1.1 ${this.refusal.code} No\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
        );
        return;
      }
      this.sockets.handleUpgrade(request, socket, head, (ws) => {
        this.socket = ws;
        ws.on('message', (data: Buffer) => this.received.push(data));
        this.onOpen?.();
      });
    });
  }

  choose(offered: Set<string>): string | false {
    return offered.has(this.protocol) && this.protocol;
  }

  send(channel: number, data: string | Buffer): void {
    this.socket?.send(Buffer.concat([Buffer.of(channel), Buffer.from(data)]));
  }

  /** Sends the command's end, as the API server does. */
  exit(code: number): void {
    const causes = [{ reason: 'ExitCode', message: String(code) }];
    const failure = statusBody(500, { reason: 'NonZeroExitCode', message: `exit code ${code}`, causes });
    this.send(3, JSON.stringify(code === 0 ? { status: 'Success' } : failure));
    this.socket?.close();
  }

  input(): string {
    return Buffer.concat(
      this.received.filter(([channel]) => channel === 0).map((frame) => frame.subarray(1)),
    ).toString();
  }

  access(): ClusterAccess {
    const { port } = this.http.address() as AddressInfo;
    return { server: `http://127.0.0.1:${port}`, namespace: 'ns', token: () => Promise.resolve('tok') };
  }
}

let pod: Pod;
beforeEach(async () => {
  pod = new Pod();
  await new Promise<void>((resolve) => pod.http.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  pod.socket?.terminate();
  pod.http.close();
  pod.http.closeAllConnections();
});

const exec = (more: Partial<ExecOptions> = {}): Promise<ExecStream> =>
  execInPod(pod.access(), {
    namespace: 'ns',
    pod: 'a',
    container: 'sandbox',
    command: ['sh', '-c', 'x y'],
    stdin: true,
    ...more,
  });

async function text(stream: Readable): Promise<string> {
  let all = '';
  for await (const chunk of stream.setEncoding('utf8')) all += chunk as string;
  return all;
}

describe('exec', () => {
  it('separates the outputs and tells the exit code', async () => {
    const stream = await exec();
    pod.send(1, '');
    pod.send(1, 'out 1 ');
    pod.send(2, 'err');
    pod.send(1, 'out 2');
    pod.exit(3);
    expect(await Promise.all([text(stream.stdout), text(stream.stderr)])).toEqual(['out 1 out 2', 'err']);
    expect(await stream.exit).toEqual({ code: 3, message: 'exit code 3' });
  });

  it('asks for what it needs, as the person it acts for', async () => {
    await exec({
      tty: true,
      impersonate: { user: 'agenttier:a', groups: ['agenttier:users', 'system:authenticated'] },
    });
    const url = new URL(pod.request?.url ?? '', 'http://x');
    expect(url.pathname).toBe('/api/v1/namespaces/ns/pods/a/exec');
    expect([...url.searchParams]).toEqual([
      ['container', 'sandbox'],
      ['command', 'sh'],
      ['command', '-c'],
      ['command', 'x y'],
      ['stdin', 'true'],
      ['stdout', 'true'],
      ['stderr', 'false'],
      ['tty', 'true'],
    ]);
    const raw = pod.request?.rawHeaders ?? [];
    expect(raw.filter((_, i) => raw[i - 1]?.toLowerCase() === 'impersonate-group')).toEqual([
      'agenttier:users',
      'system:authenticated',
    ]);
    expect(pod.request?.headers).toMatchObject({
      authorization: 'Bearer tok',
      'impersonate-user': 'agenttier:a',
    });
    expect(pod.request?.headers['sec-websocket-extensions']).toBeUndefined();
  });

  it('sends input and its end, and sizes of the terminal', async () => {
    const stream = await exec({ tty: true });
    stream.resize(120, 40);
    stream.stdin.write('hello ');
    stream.stdin.end('world');
    await until(() => pod.received.some((frame) => frame[0] === 255));
    expect(pod.input()).toBe('hello world');
    expect(pod.received.at(-1)).toEqual(Buffer.from([255, 0]));
    expect(JSON.parse(pod.received[0]?.subarray(1).toString() ?? '')).toEqual({ Width: 120, Height: 40 });
    expect(pod.received[0]?.[0]).toBe(4);
    pod.exit(0);
    expect(await stream.exit).toEqual({ code: 0 });
  });

  it('sends no close signal to a server that only speaks v4', async () => {
    pod.protocol = 'v4.channel.k8s.io';
    const stream = await exec();
    stream.stdin.end('x');
    await until(() => pod.input() === 'x');
    pod.exit(0);
    await stream.exit;
    expect(pod.received.some((frame) => frame[0] === 255)).toBe(false);
  });

  it('misses nothing that comes with the handshake', async () => {
    pod.onOpen = () => {
      pod.send(1, 'early');
      pod.exit(0);
    };
    const stream = await exec();
    expect(await text(stream.stdout)).toBe('early');
    expect(await stream.exit).toEqual({ code: 0 });
  });

  it('stops reading from the connection while nobody takes the output', async () => {
    const stream = await exec();
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    let sent = 0;
    const total = 64;
    const feed = async (): Promise<void> => {
      for (; sent < total; sent++) {
        await new Promise((resolve) => pod.socket?.send(Buffer.concat([Buffer.of(1), megabyte]), resolve));
      }
      pod.exit(0);
    };
    const feeding = feed();
    await new Promise((resolve) => setTimeout(resolve, 300));
    // What fits into socket buffers is a few megabytes; without back-pressure all 64 would be here by now.
    expect(sent).toBeLessThan(24);
    expect(stream.stdout.readableLength).toBeLessThan(8 * 1024 * 1024);
    let bytes = 0;
    for await (const chunk of stream.stdout) bytes += (chunk as Buffer).length;
    await feeding;
    expect(bytes).toBe(total * megabyte.length);
    expect(await stream.exit).toEqual({ code: 0 });
  });

  it('makes a writer wait while the pod does not read', async () => {
    const stream = await exec();
    pod.socket?.pause();
    const chunk = Buffer.alloc(1024 * 1024, 'y');
    let written = 0;
    const total = 48;
    const writing = (async () => {
      for (; written < total; written++) {
        await new Promise<void>((resolve, reject) =>
          stream.stdin.write(chunk, (error) => (error ? reject(error) : resolve())),
        );
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(written).toBeLessThan(24);
    pod.socket?.resume();
    await writing;
    await until(() => pod.input().length === total * chunk.length);
    expect(Math.max(...pod.received.map((frame) => frame.length))).toBeLessThanOrEqual(32 * 1024 + 1);
  });

  it('rejects with the Status of a refusal', async () => {
    pod.refusal = { code: 403, body: statusBody(403, { reason: 'Forbidden', message: 'you may not' }) };
    await expect(exec()).rejects.toMatchObject({ status: 403, reason: 'Forbidden', message: 'you may not' });
  });

  it('rejects the exit when the command cannot be started', async () => {
    const stream = await exec();
    const { kind: _, ...failure } = statusBody(500, { reason: 'InternalError', message: 'no such file' });
    pod.send(3, JSON.stringify(failure));
    pod.socket?.close();
    await expect(stream.exit).rejects.toMatchObject({ status: 500, message: 'no such file' });
  });

  it('rejects the exit when the connection breaks', async () => {
    const stream = await exec();
    pod.socket?.terminate();
    await expect(stream.exit).rejects.toMatchObject({ status: 0, reason: 'NetworkError' });
    expect(await text(stream.stdout)).toBe('');
  });

  it('ends with its signal, even while the output rests', async () => {
    const stop = new AbortController();
    const stream = await exec({ signal: stop.signal });
    pod.send(1, Buffer.alloc(1024 * 1024));
    await until(() => stream.stdout.readableLength > 0);
    const reason = new Error('person left');
    stop.abort(reason);
    await expect(stream.exit).rejects.toBe(reason);
  });

  it('says so when nobody answers', async () => {
    const access = pod.access();
    pod.http.close();
    const options = { namespace: 'ns', pod: 'a', command: ['true'] };
    await expect(execInPod(access, options)).rejects.toMatchObject({ status: 0, reason: 'NetworkError' });
  });
});
