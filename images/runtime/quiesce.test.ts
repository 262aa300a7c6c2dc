// SPDX-License-Identifier: Apache-2.0
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime, buildRuntime, until } from './testRuntime.ts';

let program = '';
let runtime: Runtime;

beforeAll(async () => {
  program = buildRuntime();
  runtime = await Runtime.start(program, ['--shell', '/bin/sh'], {});
}, 240_000);

afterAll(async () => {
  await runtime?.stop();
  if (program !== '') rmSync(dirname(program), { recursive: true, force: true });
});

const post = async (
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, number> }> => {
  const answer = await runtime.fetch(path, {
    method: 'POST',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, number> };
};

describe('quiesce', () => {
  it('holds what writes until it is told, and answers meanwhile', async () => {
    const file = join(runtime.workdir, 'log');
    const writing = post('/exec', { command: ['sh', '-c', 'while [ ! -e stop ]; do echo x >> log; done'] });
    const size = (): number => readFileSync(file).length;
    await until('the program writes', () => {
      try {
        return size() > 0 || undefined;
      } catch {
        return undefined;
      }
    });
    const { status, body } = await post('/quiesce', { limitSeconds: 30 });
    expect(status).toBe(200);
    expect(body['frozen']).toBeGreaterThan(0);
    const held = await until('the file stands still', async () => {
      const before = size();
      expect((await runtime.fetch('/version')).status).toBe(200);
      return before === size() ? before : undefined;
    });
    expect((await post('/unquiesce')).body).toEqual({ thawed: body['frozen'] });
    await until('the program writes again', () => size() > held || undefined);
    expect((await post('/exec', { command: ['touch', 'stop'] })).status).toBe(200);
    expect((await writing).status).toBe(200);
  });

  it('refuses a body that is none, and thaws nothing when nothing is held', async () => {
    expect((await post('/quiesce', 'soon')).status).toBe(400);
    expect((await post('/unquiesce')).body).toEqual({ thawed: 0 });
  });
});
