// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ANN_KEY, BOB_KEY, Harness } from '../../testing/harness.ts';
import { RealRuntime, REAL_UID } from '../../testing/realRuntime.ts';

let harness: Harness;
let runtime: RealRuntime;
beforeAll(async () => {
  runtime = await RealRuntime.start(process.env);
}, 120_000);
afterAll(() => runtime.stop());
beforeEach(async () => {
  harness = await Harness.start({ runtimePort: runtime.port });
  await harness.add({ name: 'box', uid: REAL_UID });
});
afterEach(() => harness.stop());

const PATH = '/api/v1/sandboxes/box/exec';
const exec = (body: object, headers: Record<string, string> = {}) =>
  harness.call('POST', PATH, { body, headers });

describe('a command', () => {
  it('may take longer than the few seconds that clients wait for headers', async () => {
    expect(await exec({ command: 'sleep 5.5; echo done', timeout: 20 })).toMatchObject({
      status: 200,
      body: { stdout: 'done\n', exitCode: 0, timedOut: false },
    });
  });

  it('gets input, folder, variables and bytes', async () => {
    const given = { stdin: 'in', workingDir: '/usr', env: { A: 'b' }, limits: { stdout: 100 } };
    expect(await exec({ command: 'cat; pwd; echo $A', ...given })).toMatchObject({
      body: { stdout: 'in/usr\nb\n' },
    });
    const bytes = Buffer.from([0, 255, 10]).toString('base64');
    expect(await exec({ command: ['cat'], stdin: bytes, encoding: 'base64' })).toMatchObject({
      body: { stdout: bytes },
    });
  });

  it.each([
    ['env', { env: { A: 1 } }],
    ['env', { env: { 'A=B': '' } }],
    ['encoding', { encoding: 'latin-1' }],
    ['stdin', { stdin: 5 }],
    ['detach', { detach: 'yes' }],
    ['stream', { detach: true, stream: true }],
    ['limits.stderr', { limits: { stderr: -1 } }],
    ['timeout', { detach: true, timeout: 86_401 }],
  ])('is refused with a wrong %s', async (field, more) => {
    const answer = await exec({ command: 'true', ...more });
    expect(answer.status).toBe(400);
    expect(answer.body.error).toContain(field);
  });

  it('does not run otherwise than was asked for, where the runtime cannot be reached', async () => {
    await harness.add({ name: 'far', nonce: '' });
    for (const more of [{ stdin: 'x' }, { detach: true }, { stream: true }]) {
      const answer = await harness.call('POST', PATH.replace('/box/', '/far/'), {
        body: { command: 'true', ...more },
      });
      expect(answer.status, JSON.stringify(answer.body)).toBe(503);
    }
  });
});

describe('a streamed command', () => {
  it.each([
    ['the body', { stream: true }, {}],
    ['the header', {}, { accept: 'text/event-stream' }],
  ])('tells output as it comes, asked for by %s', async (_name, more, headers) => {
    const answer = await exec({ command: 'echo out; echo err >&2; exit 3', ...more }, headers);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toContain('text/event-stream');
    expect(answer.body).toContain('event: stdout\ndata: {"data":"out\\n"}');
    expect(answer.body).toContain('event: stderr\ndata: {"data":"err\\n"}');
    expect(answer.body).toMatch(/event: exit\ndata: \{"exitCode":3,.*\}\n\n$/);
  });

  it('ends with everything that it started when the client goes', async () => {
    const gone = new AbortController();
    const answer = await fetch(`${harness.url}${PATH}`, {
      method: 'POST',
      headers: { 'X-API-Key': ANN_KEY },
      body: JSON.stringify({ command: 'sleep 1000 & echo $!; wait', stream: true }),
      signal: gone.signal,
    });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    while (!/"data":"\d+\\n"/.test(text)) text += Buffer.from((await reader.read()).value ?? []).toString();
    const pid = /"data":"(\d+)/.exec(text)?.[1] ?? '';
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    gone.abort();
    await until(() => !existsSync(`/proc/${pid}`), 'the child to be gone');
  });
});

describe('a detached command', () => {
  it('is answered at once, and has its result for whoever may ask', async () => {
    const begun = await exec({ command: 'echo out; exit 4', detach: true });
    expect(begun).toMatchObject({
      status: 202,
      body: { execId: expect.any(String), startedAt: expect.any(String) },
    });
    const path = `${PATH}/${begun.body.execId}`;
    expect(await harness.call('GET', `${path}?wait=10s`)).toMatchObject({
      status: 200,
      body: { execId: begun.body.execId, running: false, exitCode: 4, stdout: 'out\n' },
    });
    expect((await harness.call('GET', path, { key: BOB_KEY })).status).toBe(404);
    expect((await harness.call('DELETE', path)).status).toBe(204);
    expect((await harness.call('GET', path)).status).toBe(404);
  });

  it('is ended by DELETE', async () => {
    const { body } = await exec({ command: 'exec sleep 1000', detach: true });
    const path = `${PATH}/${body.execId}`;
    expect(await harness.call('GET', path)).toMatchObject({ status: 200, body: { running: true } });
    expect((await harness.call('DELETE', path)).status).toBe(204);
    for (const id of [body.execId, 'nonsense', '..%2fpty']) {
      expect((await harness.call('DELETE', `${PATH}/${id}`)).status, id).toBe(404);
    }
  });
});
