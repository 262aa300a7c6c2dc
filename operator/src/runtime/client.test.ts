// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { deriveToken } from '@agenttier/machinery/secrets/derive';
import { ANNOTATION_TOKEN_NONCE } from '@agenttier/crds/meta/labels';
import { runtimeOf } from './address.ts';
import { askRuntime } from './client.ts';

let server: Server | undefined;

async function serve(listener: RequestListener): Promise<{ host: string; port: number; token: string }> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, token: 'secret' };
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

describe('askRuntime', () => {
  it('sends the token and JSON, and gives the JSON that comes back', async () => {
    const seen: unknown[] = [];
    const address = await serve((request, response) => {
      request.on('data', (body: Buffer) => {
        seen.push([request.method, request.url, request.headers.authorization, JSON.parse(body.toString())]);
        response.end('{"exitCode":0}');
      });
    });
    const answer = await askRuntime(address, { method: 'POST', path: '/hooks/onStop', body: { id: 'a' } });
    expect(answer).toEqual({ ok: true, status: 200, body: { exitCode: 0 } });
    expect(seen).toEqual([['POST', '/hooks/onStop', 'Bearer secret', { id: 'a' }]]);
  });

  it('takes an empty answer', async () => {
    const address = await serve((_request, response) => response.writeHead(204).end());
    expect(await askRuntime(address, { method: 'POST', path: '/' })).toEqual({
      ok: true,
      status: 204,
      body: undefined,
    });
  });

  it('tells a refusal with the words of the runtime', async () => {
    const address = await serve((_request, response) =>
      response.writeHead(409).end('{"error":"busy","code":409}'),
    );
    expect(await askRuntime(address, { method: 'GET', path: '/' })).toEqual({
      ok: false,
      cause: 'refused',
      status: 409,
      message: 'busy',
    });
  });

  it('tells what was never sent from what may have happened', async () => {
    const address = await serve((request) => request.socket.destroy());
    expect(await askRuntime(address, { method: 'GET', path: '/' })).toMatchObject({ cause: 'lost' });
    server?.close();
    const closed = { ...address, port: 1 };
    expect(await askRuntime(closed, { method: 'GET', path: '/' })).toMatchObject({ cause: 'unreachable' });
  });

  it('gives up when the time is over, and when the caller does', async () => {
    const address = await serve(() => undefined);
    expect(await askRuntime(address, { method: 'GET', path: '/', timeoutMs: 20 })).toMatchObject({
      cause: 'lost',
      message: 'no answer of the runtime within 20 ms',
    });
    const call = { method: 'GET', path: '/', signal: AbortSignal.abort() } as const;
    expect(await askRuntime(address, call)).toMatchObject({ cause: 'aborted' });
  });

  it('does not take more than it can hold', async () => {
    const address = await serve((_request, response) => response.end(Buffer.alloc(5 * 1024 * 1024, 'x')));
    expect(await askRuntime(address, { method: 'GET', path: '/' })).toMatchObject({
      ok: false,
      message: 'the answer is larger than 4194304 bytes',
    });
  });
});

describe('runtimeOf', () => {
  const key = Buffer.alloc(32, 7);
  const spec = { containers: [] };

  it('derives the token from the nonce of the pod', () => {
    const pod = {
      metadata: { annotations: { [ANNOTATION_TOKEN_NONCE]: '12' } },
      spec,
      status: { podIP: '10.0.0.7' },
    };
    expect(runtimeOf(pod, 'uid-one', key)).toEqual({
      host: '10.0.0.7',
      port: 9000,
      token: deriveToken(key, 'uid-one/12'),
    });
  });

  it('is nothing without an address or a nonce', () => {
    const annotations = { [ANNOTATION_TOKEN_NONCE]: '12' };
    expect(runtimeOf({ metadata: { annotations }, spec }, 'uid-one', key)).toBeUndefined();
    expect(runtimeOf({ metadata: {}, spec, status: { podIP: '10.0.0.7' } }, 'uid-one', key)).toBeUndefined();
  });
});
