// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { once } from 'node:events';
import express from 'express';
import { afterEach, expect, it } from 'vitest';
import { until } from '@agenttier/machinery/testing/until';
import { slowBody } from './slowBody.ts';

let server: Server;
let held = 0;

const start = async (raw: boolean, hold: boolean): Promise<Socket> => {
  const app = express();
  app.use(slowBody({ wholeMs: 100, lookMs: 50 }));
  app.put('/', (request, response) => {
    response.locals['rawBody'] = raw;
    held++;
    if (hold) request.pause();
    else request.resume().on('end', () => response.end('done'));
  });
  server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => undefined);
  return socket;
};
const head = 'PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n';

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

it.each([
  ['an upload that stops', true],
  ['a body that does not end', false],
])('ends %s', async (_name, raw) => {
  const socket = await start(raw, false);
  socket.write(head + 'x');
  await once(socket, 'close');
});

it('lets an upload go on for as long as it comes', async () => {
  const socket = await start(true, false);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.write(head);
  for (let part = 0; part < 20; part++) {
    socket.write('x'.repeat(10_000));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await until(() => answer.endsWith('done'), 'the answer');
});

it('does not blame a client for a pod that takes nothing', async () => {
  const socket = await start(true, true);
  let closed = false;
  socket.once('close', () => (closed = true));
  const before = held;
  socket.write(head + 'x'.repeat(199_999));
  await until(() => held > before, 'the request');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(closed).toBe(false);
});
