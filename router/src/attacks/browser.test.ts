// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from '../testing/harness.ts';
import { sendRaw } from '../testing/rawHttp.ts';

/** What a page that somebody looks at makes his browser send. */

let dev: Harness;
let port: string;
beforeAll(async () => {
  dev = await Harness.start({ devAuth: true, corsOrigins: ['https://ui.example.com'] });
  await dev.add({ name: 'box', phase: 'Stopped' });
  ({ port } = new URL(dev.url));
});
afterAll(() => dev.stop());

const ask = async (line: string, headers: Record<string, string>): Promise<number | undefined> => {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const { statuses } = await sendRaw(dev.url, `${line} HTTP/1.1\r\n${fields.join('')}\r\n`);
  return statuses[0];
};
const upgrade = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const close = { Connection: 'close' };

describe('development mode, where being asked is all it takes,', () => {
  const rebound = [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'x@evil.example',
    'svc.evil',
  ];

  it.each(rebound)('refuses a name that was rebound (%s), with and without an origin', async (name) => {
    const Host = `${name}:${port}`;
    for (const headers of [{ Host }, { Host, Origin: `http://${Host}` }]) {
      expect(await ask('GET /api/v1/sandboxes', { ...headers, ...close })).toBe(403);
      expect(await ask('GET /ws/terminal/box', { ...headers, ...upgrade })).toBe(403);
      expect(await ask('GET /api/v1/sandboxes/box/preview/3000/', { ...headers, ...upgrade })).toBe(403);
      expect(await ask('POST /mcp', { ...headers, ...close, 'Content-Length': '0' })).toBe(403);
    }
  });

  it.each(['localhost', '127.0.0.1', '[::1]', 'agenttier-router', 'router.agenttier.svc', 'ui.example.com'])(
    'is served as %s',
    async (name) => {
      expect(await ask('GET /api/v1/sandboxes', { Host: `${name}:${port}`, ...close })).toBe(200);
    },
  );

  it('refuses a foreign page at a good address', async () => {
    for (const Origin of ['http://evil.example', 'null', 'http://localhost:1']) {
      expect(await ask('GET /api/v1/sandboxes', { Host: `localhost:${port}`, Origin, ...close })).toBe(403);
      expect(await ask('GET /ws/terminal/box', { Host: `localhost:${port}`, Origin, ...upgrade })).toBe(403);
    }
  });
});
