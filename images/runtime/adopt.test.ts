// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime, buildRuntime, until } from './testRuntime.ts';

let program = '';

beforeAll(() => {
  program = buildRuntime();
}, 240_000);

afterAll(() => {
  rmSync(dirname(program), { recursive: true, force: true });
});

const NEW_TOKEN = 'n'.repeat(43);
const SLOT_ENV = { FROM_IMAGE: 'kept' };

const adopt = (runtime: Runtime, body: object): Promise<Response> =>
  runtime.fetch('/adopt', { method: 'POST', body: JSON.stringify(body) });

const env = [
  { name: 'HOME', value: '/tmp' },
  { name: 'FROM_IMAGE' },
  { name: 'GREETING', value: 'hello $HOME, $(FROM_IMAGE)' },
];
const claim = { sandbox: 'uid-one', token: NEW_TOKEN, env };

describe('a slot', () => {
  it('can be used by nobody before its sandbox has it, not even with its token', async () => {
    const runtime = await Runtime.start(program, ['--await-adopt'], SLOT_ENV);
    for (const path of ['/exec', '/sessions', '/pty', '/activity']) {
      expect((await runtime.fetch(path, { method: path === '/exec' ? 'POST' : 'GET' })).status).toBe(409);
    }
    const stranger = await fetch(`http://${runtime.address}/adopt`, { method: 'POST', body: '{}' });
    expect(stranger.status).toBe(401);
    await runtime.stop();
  });

  it('gets the variables and the token of its sandbox, and no other sandbox gets it', async () => {
    const runtime = await Runtime.start(program, ['--await-adopt'], SLOT_ENV);
    expect((await adopt(runtime, { ...claim, token: 'short' })).status).toBe(400);
    expect((await adopt(runtime, claim)).status).toBe(200);
    expect((await adopt(runtime, claim)).status).toBe(200);
    expect((await adopt(runtime, { ...claim, sandbox: 'uid-two' })).status).toBe(409);
    const command = ['/bin/sh', '-c', 'echo "$FROM_IMAGE|$GREETING|$HOME"'];
    const answer = await fetch(`http://${runtime.address}/exec`, {
      method: 'POST',
      headers: { authorization: `Bearer ${NEW_TOKEN}` },
      body: JSON.stringify({ command }),
    });
    expect(await answer.json()).toMatchObject({ stdout: 'kept|hello $HOME, kept|/tmp\n' });
    await runtime.stop();
  });

  it('starts the command of the sandbox only then, with the variables of the sandbox', async () => {
    const flags = ['--await-adopt', '--', '/bin/sh', '-c', 'echo "it says $GREETING"; exit 5'];
    const runtime = await Runtime.start(program, flags, SLOT_ENV);
    expect(runtime.log).not.toContain('it says');
    await adopt(runtime, claim);
    expect(await runtime.exited).toBe(5);
    expect(runtime.log).toContain('it says hello $HOME');
  });

  it('is no slot without the flag', async () => {
    const runtime = await Runtime.start(program);
    expect((await adopt(runtime, claim)).status).toBe(409);
    await until('the sandbox to work', async () =>
      (await runtime.exec({ command: ['true'] }))['exitCode'] === 0 ? true : undefined,
    );
    await runtime.stop();
  });
});
