// SPDX-License-Identifier: Apache-2.0
import { get as getPlain, Agent } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { get as getTls } from 'node:https';
import { connect } from 'node:net';
import type { TLSSocket } from 'node:tls';
import express from 'express';
import { describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../telemetry/log.ts';
import { createRegistry, metricsHandler } from '../telemetry/metrics.ts';
import { FakeClock } from '../testing/fakeClock.ts';
import { until } from '../testing/until.ts';
import { issueAuthority, issueLeaf } from '../tls/issue.ts';
import { CertificateHolder } from '../tls/source.ts';
import { drainOnAbort } from './drain.ts';
import { Health } from './health.ts';
import { createHttpServer } from './server.ts';

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
  readonly headers: IncomingMessage['headers'];
}

async function body(response: IncomingMessage): Promise<Answer> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
  return { status: response.statusCode, text, headers: response.headers };
}

const fetchText = (port: number, path = '/', agent?: Agent): Promise<Answer> =>
  new Promise((resolve, reject) => {
    getPlain({ port, path, ...(agent ? { agent } : {}) }, (response) => {
      body(response).then(resolve, reject);
    }).on('error', reject);
  });

const log = silentLogger;

describe('HTTP server', () => {
  it('serves new certificates without a restart, and keeps the old one when the new is broken', async () => {
    const validity = { from: Date.now() - 1000, until: Date.now() + 3_600_000 };
    const ca = await issueAuthority('ca', validity);
    const leaf = async () => ({
      ...(await issueLeaf(ca, { dnsNames: ['localhost'], validity })),
      ca: ca.cert,
    });
    const source = new CertificateHolder(await leaf());
    const server = createHttpServer({
      app: (_q, r) => void r.end('ok'),
      port: 0,
      tls: source,
      log,
      drainMs: 100,
    });
    const port = await server.listen();
    const serial = (): Promise<string> =>
      new Promise((resolve, reject) => {
        getTls({ port, host: 'localhost', ca: ca.cert, agent: false }, (response) => {
          resolve((response.socket as TLSSocket).getPeerCertificate().serialNumber);
          response.resume();
        }).on('error', reject);
      });
    const first = await serial();
    source.set(await leaf());
    const second = await serial();
    expect(second).not.toBe(first);
    source.set({ cert: 'broken', key: 'broken', ca: '' });
    expect(await serial()).toBe(second);
    await server.close();
  });

  it('refuses to start TLS without a certificate', () => {
    expect(() =>
      createHttpServer({ app: () => undefined, port: 0, tls: new CertificateHolder(), log }),
    ).toThrow('needs a certificate');
  });

  it('reports a port that is taken', async () => {
    const first = createHttpServer({ app: () => undefined, port: 0, log });
    const port = await first.listen();
    await expect(createHttpServer({ app: () => undefined, port, log }).listen()).rejects.toThrow(
      'EADDRINUSE',
    );
    await first.close();
  });

  it('lets go of clients before it closes: new connections are taken, none is kept', async () => {
    const server = createHttpServer({ app: (_q, r) => void r.end('ok'), port: 0, log });
    const port = await server.listen();
    const agent = new Agent({ keepAlive: true });
    expect((await fetchText(port, '/', agent)).headers.connection).toBe('keep-alive');
    server.drain();
    expect((await fetchText(port, '/', agent)).headers.connection).toBe('close');
    expect((await fetchText(port, '/', agent)).headers.connection, 'on a new connection').toBe('close');
    await server.close();
  });

  it('finishes running requests when it closes, ends idle connections, takes no new ones', async () => {
    const release = Promise.withResolvers<void>();
    let arrived = false;
    const app = express();
    app.get('/slow', async (_request, response) => {
      arrived = true;
      await release.promise;
      response.send('done');
    });
    app.get('/', (_request, response) => void response.send('quick'));
    const server = createHttpServer({ app, port: 0, log, drainMs: 10_000 });
    const port = await server.listen();
    const agent = new Agent({ keepAlive: true });
    await fetchText(port, '/', agent);
    const slow = fetchText(port, '/slow');
    await until(() => arrived);
    let closed = false;
    const closing = server.close().then(() => {
      closed = true;
    });
    await expect(fetchText(port)).rejects.toThrow();
    expect(closed).toBe(false);
    release.resolve();
    expect(await slow).toMatchObject({ status: 200, text: 'done' });
    const startedAt = performance.now();
    await closing;
    expect(performance.now() - startedAt).toBeLessThan(2000);
    agent.destroy();
  });

  it('cuts what is left at the deadline, upgraded sockets too', async () => {
    const server = createHttpServer({ app: () => undefined, port: 0, log, drainMs: 50 });
    server.server.on(
      'upgrade',
      (_request, socket) => void socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    );
    const port = await server.listen();
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    const hanging = fetchText(port).catch((error: Error) => error);
    const cut = new Promise((resolve) => socket.once('close', resolve));
    await server.close();
    await cut;
    expect(await hanging).toBeInstanceOf(Error);
  });
});

describe('health and drain', () => {
  it('tells why it is not ready', async () => {
    const health = new Health();
    let synced = false;
    health.addReadiness('cache', () => synced || 'not synced');
    health.addLiveness('loop', () => true);
    const app = express().get('/healthz', health.healthz).get('/readyz', health.readyz);
    app.get('/metrics', metricsHandler(createRegistry('test', { processMetrics: false })));
    const server = createHttpServer({ app, port: 0, log });
    const port = await server.listen();
    expect((await fetchText(port, '/healthz')).status).toBe(200);
    const unready = await fetchText(port, '/readyz');
    expect([unready.status, JSON.parse(unready.text)]).toEqual([
      503,
      { status: 'unavailable', problems: ['cache: not synced'] },
    ]);
    synced = true;
    expect(await fetchText(port, '/readyz')).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    expect((await fetchText(port, '/metrics')).headers['content-type']).toContain('text/plain');
    await server.close();
  });

  it.each([
    ['says nothing', ''],
    ['does not end its head', 'GET / HTTP/1.1\r\nHost: x\r\nX-A: '],
  ])('ends a connection that %s (slow loris)', async (_name, bytes) => {
    const server = createHttpServer({
      app: (_q, r) => void r.end('ok'),
      port: 0,
      headersMs: 200,
      requestMs: 0,
      log,
    });
    const socket = connect(await server.listen(), '127.0.0.1');
    socket.on('error', () => undefined).resume();
    const trickle = setInterval(() => bytes !== '' && socket.write('x'), 20);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(trickle);
    await server.close();
  });

  it('takes a throwing check for a failed one', () => {
    const health = new Health();
    health.addReadiness('x', () => {
      throw new Error('boom');
    });
    expect(health.unready()).toEqual(['x: boom']);
  });

  it('is unready first, waits, then closes', async () => {
    const clock = new FakeClock();
    const health = new Health();
    const stop = new AbortController();
    let closed = 0;
    const drain = vi.fn();
    const servers = [1, 2].map(() => ({ drain, close: () => Promise.resolve(void closed++) }));
    const drained = drainOnAbort({ signal: stop.signal, health, servers, delayMs: 3000, log, clock });
    expect(health.unready()).toEqual([]);
    stop.abort();
    await clock.advance(2999);
    expect([health.unready(), closed]).toEqual([['shutting down'], 0]);
    expect(drain).toHaveBeenCalledTimes(2);
    await clock.advance(1);
    await drained;
    expect(closed).toBe(2);
  });
});
