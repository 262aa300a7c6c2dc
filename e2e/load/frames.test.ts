// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { payloadBytes, PRINT } from './frames.ts';

it('counts the bytes of a frame, binary or text', () => {
  const binary = (size: number) => ({ opcode: 2, payloadData: Buffer.alloc(size).toString('base64') });
  expect([1, 2, 3, 10_000].map((size) => payloadBytes(binary(size)))).toEqual([1, 2, 3, 10_000]);
  expect(payloadBytes({ opcode: 1, payloadData: '{"é":1}' })).toBe(8);
});

it('prints lines that are 80 bytes long on a terminal', async () => {
  const shell = spawn('/bin/sh', ['-c', PRINT], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => void shell.once('close', resolve));
  let printed = '';
  for await (const chunk of shell.stdout as AsyncIterable<Buffer>) {
    printed += chunk.toString('latin1');
    if (printed.length > 100_000) break;
  }
  shell.kill('SIGKILL');
  await ended;
  const lines = printed.split('\n').slice(0, -1);
  expect(new Set(lines)).toEqual(new Set(['x'.repeat(78)]));
});
