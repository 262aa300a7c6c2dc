// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer, json } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '@agenttier/machinery/testing/until';
import { REAL_UID, RealRuntime } from '../testing/realRuntime.ts';
import { runtimeToken } from '../testing/tokens.ts';
import { Reachability } from './reachability.ts';
import { lent, RuntimeClient } from './runtimeClient.ts';
import { RuntimeLost, RuntimeUnreachable } from './runtimeErrors.ts';
import type { Target } from './target.ts';

const never = new AbortController().signal;
const here = (token = 'x'): Target => ({
  namespace: 'team',
  pod: 'box-pod',
  podUid: 'pod',
  runtime: { podIP: '127.0.0.1', token, podUid: 'pod' },
});
/** Over the network only. */
const clientOf = (port: number): RuntimeClient =>
  new RuntimeClient({
    port,
    reachability: new Reachability(),
    openRelay: () => Promise.reject(new RuntimeUnreachable('no relay')),
    onFallback: () => undefined,
  });

describe('a request to the real runtime', () => {
  let runtime: RealRuntime;
  let client: RuntimeClient;
  beforeAll(async () => {
    runtime = await RealRuntime.start(process.env);
    client = clientOf(runtime.port);
  }, 120_000);
  afterAll(async () => {
    await client.close();
    await runtime.stop();
  });

  it('streams a body there and the answer back', async () => {
    const command = JSON.stringify({ command: ['echo', 'hello'], timeoutSeconds: 5 });
    const body = Readable.from([Buffer.from(command.slice(0, 9)), Buffer.from(command.slice(9))]);
    const headers = { 'content-type': 'application/json' };
    const answer = await client.request(here(runtimeToken(REAL_UID)), {
      method: 'POST',
      path: '/exec',
      headers,
      body,
      signal: never,
    });
    expect(answer.status).toBe(200);
    expect(await json(answer.stream)).toMatchObject({ exitCode: 0, stdout: 'hello\n' });
  });

  it('hands on a refusal as an answer', async () => {
    const token = runtimeToken(REAL_UID);
    const answer = await client.request(here(token), { method: 'GET', path: '/nothing', signal: never });
    expect(answer.status).toBe(404);
    answer.stream.resume();
  });

  it.each(['a text', 'a stream'])('sends %s another way when it knows the wrong token', async (kind) => {
    const body = kind === 'a text' ? '{}' : Readable.from(['{}']);
    const asked = client.request(here('wrong'), { method: 'POST', path: '/exec', body, signal: never });
    await expect(asked).rejects.toThrow('no relay');
    if (body instanceof Readable) expect((await buffer(body)).toString()).toBe('{}');
  });
});

describe('a streamed request', () => {
  let server: Server;
  let client: RuntimeClient;

  const start = async (listener: RequestListener): Promise<void> => {
    server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    client = clientOf((server.address() as AddressInfo).port);
  };
  afterEach(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });

  it('takes no more from its source than the peer takes', async () => {
    let held: IncomingMessage | undefined;
    await start((request) => {
      held = request.pause();
    });
    let given = 0;
    const body = new Readable({
      read() {
        given += 65_536;
        this.push(given > 256 * 1024 * 1024 ? null : Buffer.alloc(65_536));
      },
    });
    const leave = new AbortController();
    const asked = client.request(here(), { method: 'PUT', path: '/', body, signal: leave.signal });
    await until(() => held !== undefined, 'the request to arrive');
    let last = -1;
    await until(() => {
      const rests = given === last;
      last = given;
      return rests;
    }, 'the source to rest');
    expect(given).toBeLessThan(64 * 1024 * 1024);
    leave.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });

  it('keeps its source when the answer comes before its end', async () => {
    await start((_request, response) => {
      response.writeHead(507, { Connection: 'close' }).end('{"error":"full"}');
    });
    const body = new Readable({ read: () => undefined });
    body.push('some');
    const answer = await client.request(here(), { method: 'PUT', path: '/', body, signal: never });
    expect(answer.status).toBe(507);
    expect((await buffer(answer.stream)).toString()).toBe('{"error":"full"}');
    expect(body.destroyed).toBe(false);
  });

  it('keeps its source when its reader ends with an error', async () => {
    await start(() => undefined);
    const source = new Readable({
      read() {
        this.push(Buffer.alloc(65_536));
      },
    });
    const body = lent(source) as Readable;
    await once(body, 'readable');
    body.destroy(new Error('enough'));
    await new Promise((resolve) => body.once('error', () => {}).once('close', resolve));
    expect(source.destroyed).toBe(false);
    expect(source.read()).not.toBeNull();
  });

  it('may be let go of before its end, by whoever has it and by the signal, without a word', async () => {
    const faults: unknown[] = [];
    const hear = (error: unknown): void => void faults.push(error);
    process.on('uncaughtException', hear);
    await start((_request, response) => void response.writeHead(200).write('half'));
    const gone = new AbortController();
    const dropped = await client.request(here(), { method: 'GET', path: '/', signal: never });
    const aborted = await client.request(here(), { method: 'GET', path: '/', signal: gone.signal });
    const closed = [dropped, aborted].map(
      ({ stream }) => new Promise((resolve) => stream.once('close', resolve)),
    );
    dropped.stream.destroy();
    gone.abort(new Error('enough'));
    await Promise.all(closed);
    await new Promise(setImmediate);
    process.off('uncaughtException', hear);
    expect(faults).toEqual([]);
  });

  it('fails half-way when the peer breaks off', async () => {
    await start((_request, response) => {
      response.writeHead(200).write('half', () => response.destroy());
    });
    const answer = await client.request(here(), { method: 'GET', path: '/', signal: never });
    await expect(buffer(answer.stream)).rejects.toThrow();
  });

  it('tells a peer that was never reached from one that was lost', async () => {
    await start((request) => request.socket.destroy());
    const ask = () => client.request(here(), { method: 'PUT', path: '/', body: 'x', signal: never });
    await expect(ask()).rejects.toBeInstanceOf(RuntimeLost);
    server.close();
    await client.forget('pod');
    const body = Readable.from(['kept']);
    const unsent = client.request(here(), { method: 'PUT', path: '/', body, signal: never });
    await expect(unsent).rejects.toBeInstanceOf(RuntimeUnreachable);
    expect((await buffer(body)).toString()).toBe('kept');
  });
});
