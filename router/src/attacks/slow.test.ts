// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, afterEach, beforeAll, it, vi } from 'vitest';
import { ANN_KEY, Harness } from '../testing/harness.ts';
import { openRaw } from '../testing/rawHttp.ts';

let harness: Harness;
let sockets: Socket[] = [];
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  harness = await Harness.start({ preview: { domain: 'preview.example.com', scheme: 'https' } });
  await harness.add({ name: 'box' });
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
});
afterAll(async () => {
  vi.useRealTimers();
  await harness.stop();
});

/** Sends a head and the first byte of a body; resolves when the router has begun with it, with whether it has been cut. */
async function begin(line: string, headers: Record<string, string>): Promise<() => boolean> {
  const socket = await openRaw(harness.url);
  sockets.push(socket);
  let closed = false;
  socket.resume();
  socket.once('close', () => (closed = true));
  const before = vi.getTimerCount();
  const fields = Object.entries({ Host: 'x', 'X-API-Key': ANN_KEY, ...headers });
  const head = [`${line} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`), '', 'x'];
  socket.write(head.join('\r\n'));
  await until(() => vi.getTimerCount() > before, 'the router to watch the body');
  return () => closed;
}

const SIZE = { 'Content-Length': '1000000' };

it.each([
  ['JSON', 'POST /api/v1/sandboxes', SIZE, 75_000],
  ['JSON in chunks', 'POST /api/v1/sandboxes', { 'Transfer-Encoding': 'chunked' }, 75_000],
  ['a message of MCP', 'POST /mcp', SIZE, 75_000],
  ['somebody without a credential', 'POST /api/v1/sandboxes', { ...SIZE, 'X-API-Key': 'x' }, 75_000],
  ['an upload', 'PUT /api/v1/sandboxes/box/files/a', SIZE, 30_000],
  ['a preview', 'POST /', { ...SIZE, Host: '3000--box--default.preview.example.com' }, 30_000],
] as const)('a body that does not come any more is not waited for: %s', async (_name, line, headers, ms) => {
  const closed = await begin(line, headers);
  vi.advanceTimersByTime(ms);
  await until(closed, 'the connection to be cut');
});
