// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeBinary } from './binary.ts';

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'cache-'));
});
afterEach(() => rm(cache, { recursive: true, force: true }));

async function build(key: string, at: number): Promise<string> {
  const folder = join(cache, 'bin', key);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'node'), '');
  await utimes(join(folder, 'node'), at, at);
  return join(folder, 'node');
}

describe('nodeBinary', () => {
  it('takes the newest build of the cache', async () => {
    await build('old', 1000);
    const newest = await build('new', 3000);
    await build('middle', 2000);
    await mkdir(join(cache, 'bin', 'empty'));
    expect(await nodeBinary({ AGENTTIER_CACHE: cache })).toBe(newest);
  });

  it('prefers the one that is named, and says when it is not there', async () => {
    await build('some', 1000);
    const named = await build('named', 500);
    expect(await nodeBinary({ AGENTTIER_CACHE: cache, AGENTTIER_NODE_BINARY: named })).toBe(named);
    await expect(nodeBinary({ AGENTTIER_NODE_BINARY: join(cache, 'none') })).rejects.toThrow(
      'does not exist',
    );
  });

  it('says what to do when there is none', async () => {
    await expect(nodeBinary({ AGENTTIER_CACHE: cache })).rejects.toThrow('set AGENTTIER_NODE_BINARY');
  });
});
