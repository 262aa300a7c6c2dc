// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import express from 'express';
import { expect, it } from 'vitest';
import { sendReply } from './sendReply.ts';

it('streams to whom others listen as well, and nobody is warned of a leak', async () => {
  const warnings: string[] = [];
  const hear = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', hear);
  const app = express();
  app.get('/', async (request, response) => {
    for (let i = 0; i < 5; i++) response.once('close', () => undefined);
    await sendReply({ status: 200, stream: Readable.from(['hel', 'lo']) }, request, response);
  });
  const server = app.listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect(await answer.text()).toBe('hello');
    await new Promise(setImmediate);
    expect(warnings).toEqual([]);
  } finally {
    process.off('warning', hear);
    server.close();
  }
});
