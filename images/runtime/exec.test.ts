// SPDX-License-Identifier: Apache-2.0
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime, TOKEN, buildRuntime, until } from './testRuntime.ts';

let program = '';
let runtime: Runtime;

beforeAll(async () => {
  program = buildRuntime();
  runtime = await Runtime.start(program, [], { AGENTTIER_RUNTIME_TOKEN: 'must-not-leak' });
}, 240_000);

afterAll(async () => {
  await runtime?.stop();
  if (program !== '') rmSync(dirname(program), { recursive: true, force: true });
});

const sh = (script: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  command: ['/bin/sh', '-c', script],
  ...more,
});

const stream = (body: Record<string, unknown>, signal: AbortSignal | null = null): Promise<Response> =>
  fetch(`http://${runtime.address}/exec`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, accept: 'text/event-stream' },
    body: JSON.stringify(body),
    signal,
  });

interface StreamEvent {
  readonly name: string;
  readonly data: { readonly data?: string; readonly exitCode?: number; readonly truncated?: boolean };
}

const eventsOf = (text: string): StreamEvent[] =>
  [...text.matchAll(/^event: (\w+)\ndata: (.+)\n\n/gm)].map(([, name = '', data = '']) => ({
    name,
    data: JSON.parse(data),
  }));

const joined = (events: readonly StreamEvent[], name: string): string =>
  events
    .filter((event) => event.name === name)
    .map(({ data }) => data.data)
    .join('');

const alive = (pid: number): boolean => existsSync(`/proc/${pid}`);

describe('a streamed command', () => {
  it('tells output and end as they come', async () => {
    const answer = await stream(sh('echo out; echo err >&2; exit 7'));
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const events = eventsOf(await answer.text());
    expect([joined(events, 'stdout'), joined(events, 'stderr')]).toEqual(['out\n', 'err\n']);
    expect(events.at(-1)).toMatchObject({ name: 'exit', data: { exitCode: 7, timedOut: false } });
  });

  it('keeps characters whole wherever the stream is cut', async () => {
    const wanted = '☃🚀é'.repeat(20_000);
    const events = eventsOf(await (await stream({ command: ['cat'], stdin: wanted })).text());
    expect(events.filter(({ name }) => name === 'stdout').length).toBeGreaterThan(1);
    expect(joined(events, 'stdout') === wanted).toBe(true);
  });

  it('says why it could not start, and what a limit has cut', async () => {
    const failed = eventsOf(await (await stream({ command: ['no-such-program'] })).text());
    expect(joined(failed, 'stderr')).toMatch(/^\[runtime\] .*no-such-program/);
    expect(failed.at(-1)?.data.exitCode).toBe(-1);
    const cut = eventsOf(await (await stream(sh('printf 123456', { limits: { stdout: 4 } }))).text());
    expect(joined(cut, 'stdout')).toBe('1234');
    expect(cut.at(-1)?.data.truncated).toBe(true);
  });

  it('ends with its children when the client goes', async () => {
    const gone = new AbortController();
    const answer = await stream(sh('sleep 1000 & echo $!; wait'), gone.signal);
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    const pid = await until('the pid of the child', async () => {
      text += Buffer.from((await reader.read()).value ?? []).toString();
      return /"data":"(\d+)\\n"/.exec(text)?.[1];
    });
    expect(alive(Number(pid))).toBe(true);
    gone.abort();
    await until('the child to be gone', () => (alive(Number(pid)) ? undefined : true));
  });
});

describe('a detached command', () => {
  const start = async (body: Record<string, unknown>): Promise<string> => {
    const answer = await runtime.fetch('/exec', {
      method: 'POST',
      body: JSON.stringify({ ...body, detach: true }),
    });
    expect(answer.status).toBe(202);
    return ((await answer.json()) as { id: string }).id;
  };
  const look = async (id: string, query = ''): Promise<Record<string, unknown>> =>
    (await (await runtime.fetch(`/exec/${id}${query}`)).json()) as Record<string, unknown>;

  it('has its result for whoever asks later', async () => {
    const id = await start(sh('echo out; exit 4'));
    expect(await look(id, '?wait=10s')).toMatchObject({ id, running: false, exitCode: 4, stdout: 'out\n' });
    expect(await look(id, '?encoding=base64')).toMatchObject({
      stdout: Buffer.from('out\n').toString('base64'),
    });
  });

  it('shows what it printed so far, and ends with its children', async () => {
    const id = await start(sh('sleep 1000 & echo $!; wait'));
    const pid = await until('the pid', async () => {
      const { stdout, running, exitCode } = await look(id);
      expect([running, exitCode]).toEqual([true, undefined]);
      return /^\d+\n$/.test(String(stdout)) ? Number(stdout) : undefined;
    });
    expect((await runtime.fetch(`/exec/${id}`, { method: 'DELETE' })).status).toBe(204);
    await until('the child to be gone', () => (alive(pid) ? undefined : true));
    expect((await runtime.fetch(`/exec/${id}`)).status).toBe(404);
    expect((await runtime.fetch(`/exec/${id}`, { method: 'DELETE' })).status).toBe(404);
  });
});

describe('what a command is given', () => {
  it('is bytes where base64 is asked for', async () => {
    const bytes = Buffer.from([0, 255, 254, 10, 128]).toString('base64');
    const result = await runtime.exec({ command: ['cat'], stdin: bytes, encoding: 'base64' });
    expect(result).toMatchObject({ exitCode: 0, stdout: bytes });
  });

  it('is a folder, variables and never a secret of the runtime', async () => {
    const result = await runtime.exec(
      sh('pwd; echo $A; env', { workingDir: '/usr', env: { A: 'one two' }, limits: { stdout: 4000 } }),
    );
    expect(result['stdout']).toMatch(/^\/usr\none two\n/);
    expect(result['stdout']).not.toContain('must-not-leak');
    const made = await runtime.exec(sh('mkdir sub'));
    expect(made['exitCode']).toBe(0);
    expect(await runtime.exec(sh('pwd', { workingDir: 'sub' }))).toMatchObject({
      stdout: `${join(runtime.workdir, 'sub')}\n`,
    });
  });

  it.each([
    ['a variable of the runtime', { env: { AGENTTIER_RUNTIME_TOKEN: 'x' } }, 'env:'],
    ['a variable without a name', { env: { '': 'x' } }, 'env:'],
    ['a NUL', { env: { A: '\0' } }, 'env:'],
    ['an unknown encoding', { encoding: 'latin-1' }, 'encoding:'],
    ['input that is no base64', { stdin: '!', encoding: 'base64' }, 'stdin:'],
    ['a limit beyond all', { limits: { stderr: 9_000_000 } }, 'limits:'],
  ])('is refused: %s', async (_name, more, field) => {
    const answer = await runtime.fetch('/exec', { method: 'POST', body: JSON.stringify(sh('true', more)) });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: string }).error).toContain(field);
  });
});
