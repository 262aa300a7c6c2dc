// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KubeError } from '@agenttier/machinery/kube/errors';
import { until } from '@agenttier/machinery/testing/until';
import { parseConfigureEvent } from '@agenttier/crds/wire/agent';
import type { ConfigureEvent, ConfigureResult } from '@agenttier/crds/wire/agent';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readEvents } from '../../../sse/readEvents.ts';
import { addAgent } from '../../../testing/agentBox.ts';
import { AgentOperator } from '../../../testing/agentOperator.ts';
import { ANN_KEY, BOB_KEY, Harness, keySecret } from '../../../testing/harness.ts';
import { RealRuntime } from '../../../testing/realRuntime.ts';

let runtime: RealRuntime;
let harness: Harness;
let folder: string;

beforeAll(async () => {
  runtime = await RealRuntime.start(process.env);
  folder = dirname(runtime.binary);
}, 120_000);
afterAll(() => runtime.stop());
beforeEach(async () => {
  harness = await Harness.start({ runtimePort: runtime.port });
  await addAgent(harness, {}, { storage: { mountPath: folder } });
  AgentOperator.work(runtime.port, harness);
});
afterEach(() => harness.stop());

const URL_PATH = '/api/v1/sandboxes/box/configure';

interface Answer {
  readonly status: number;
  readonly events: ConfigureEvent[];
  readonly log: string;
  readonly result: ConfigureResult | undefined;
}

async function configure(body: unknown, key = ANN_KEY, signal?: AbortSignal): Promise<Answer> {
  const answer = await fetch(`${harness.url}${URL_PATH}`, {
    method: 'POST',
    headers: { 'X-API-Key': key },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
  const events: ConfigureEvent[] = [];
  for await (const event of readEvents(answer.body as unknown as AsyncIterable<Uint8Array>)) {
    const known = parseConfigureEvent(event);
    if (known) events.push(known);
  }
  const log = events.flatMap((one) => (one.event === 'log' ? [one.data.data] : [])).join('\n');
  const last = events.at(-1);
  return { status: answer.status, events, log, result: last?.event === 'result' ? last.data : undefined };
}

const refused = (body: unknown) => harness.call('POST', URL_PATH, { body });
const at = (name: string): string => join(folder, name);
const sh = (script: string): string[] => ['/bin/sh', '-c', script];

describe('configuring', () => {
  it('brings files of every kind to their places, installs, and tells each step', async () => {
    const answer = await configure({
      files: [
        { path: at('app/main 🙂.py'), content: 'print("é")\n' },
        { path: at('app/__init__.py'), content: '' },
        { path: at('app/data.bin'), contentBase64: Buffer.from([0, 255, 10]).toString('base64') },
        { path: at('app/large'), content: 'x'.repeat(1024 * 1024) },
      ],
      installCommand: sh(
        'cat "app/main 🙂.py"; wc -c < app/large; wc -c < app/__init__.py; od -An -tu1 app/data.bin; printf "no newline"',
      ),
      entrypoint: sh('echo ran'),
    });
    expect(answer.status).toBe(200);
    expect(answer.log).toMatch(/^\[configure\] uploading .*__init__\.py\n/);
    expect(answer.log).toMatch(/\[configure\] running install: \/bin\/sh -c cat/);
    expect(answer.log).toMatch(/print\("é"\)\n1048576\n0\n +0 255 +10\nno newline$/);
    expect(answer.result).toMatchObject({ installExitCode: 0, skipped: false, entrypoint: sh('echo ran') });
    expect(await readdir(join(folder, '.agenttier/staged'))).toEqual([]);
    const invoked = await harness.call('POST', '/api/v1/sandboxes/box/invoke');
    expect(invoked.body).toContain('"data":"ran"');
  });

  it('is skipped when the same was installed, also in another order, and the entrypoint is replaced', async () => {
    const runs = at('runs');
    const files = [
      { path: at('a.txt'), content: 'a' },
      { path: at('b.txt'), content: 'b' },
    ];
    const installCommand = sh(`echo run >> ${runs}`);
    expect((await configure({ files, installCommand, entrypoint: ['one'] })).result?.skipped).toBe(false);
    const second = await configure({ files: files.toReversed(), installCommand, entrypoint: ['one'] });
    expect(second).toMatchObject({ result: { skipped: true, installExitCode: 0 }, log: '' });
    const third = await configure({ files, installCommand, entrypoint: ['two'] });
    expect(third.result).toMatchObject({ skipped: true, entrypoint: ['two'] });
    expect(await readFile(runs, 'utf8')).toBe('run\n');
    expect(await readdir(join(folder, '.agenttier/staged'))).toEqual([]);
  });

  it('runs one that failed again, and keeps its log', async () => {
    await rm(at('once'), { force: true });
    const installCommand = sh(
      `printf '\\033[31mattempt\\033[0m'; mkdir ${at('once')} 2>/dev/null && exit 7; exit 0`,
    );
    expect((await configure({ installCommand })).result).toMatchObject({
      installExitCode: 7,
      skipped: false,
    });
    expect(await harness.call('GET', `${URL_PATH}/install-log`)).toMatchObject({
      status: 200,
      body: { log: '\u001b[31mattempt\u001b[0m\n' },
    });
    expect(await harness.call('GET', URL_PATH)).toMatchObject({
      body: { state: 'Failed', installExitCode: 7 },
    });
    expect((await configure({ installCommand })).result).toMatchObject({
      installExitCode: 0,
      skipped: false,
    });
  });

  it('goes on when the client goes away, and the same call finds it again', async () => {
    const go = at('go');
    const installCommand = sh(`echo begun; while [ ! -e ${go} ]; do sleep 0.02; done; echo ended`);
    const gone = new AbortController();
    const first = configure({ installCommand }, ANN_KEY, gone.signal).catch((error: unknown) => error);
    const running = async (): Promise<boolean> =>
      (await harness.call('GET', URL_PATH)).body.state === 'Installing';
    await until(running, 'the installation to run');
    gone.abort();
    await first;
    const second = configure({ installCommand });
    await until(running, 'the installation to run still');
    await writeFile(go, '');
    const answer = await second;
    expect(answer.log).toMatch(/begun\nended$/);
    expect(answer.result).toMatchObject({ installExitCode: 0, skipped: false });
  });

  it('shows the end of the log, and all of it', async () => {
    await configure({
      installCommand: sh('i=0; while [ $i -lt 20000 ]; do echo "line $i ✂"; i=$((i+1)); done'),
    });
    const whole = await harness.call('GET', `${URL_PATH}/install-log?full=true`);
    const lines = (whole.body.log as string).split('\n');
    expect([lines.length, lines[0], lines[19_999]]).toEqual([20_001, 'line 0 ✂', 'line 19999 ✂']);
  });
});

describe('what cannot be configured', () => {
  it.each([
    ['nothing', {}, /needs files, an installCommand or an entrypoint/],
    ['a path outside the volume', { files: [{ path: '/etc/passwd', content: '' }] }, /clean path below/],
    ['a path that climbs', { files: [{ path: '/x/../y', content: '' }] }, /clean path below/],
    ['a quote in a path', { files: [{ path: "/x/'", content: '' }] }, /without quotes/],
    [
      'both contents',
      { files: [{ path: '/x', content: '', contentBase64: '' }] },
      /either content or contentBase64/,
    ],
    ['no content', { files: [{ path: '/x' }] }, /either content/],
    ['a number for a content', { files: [{ path: '/x', content: 0 }] }, /either content/],
    ['no base64', { files: [{ path: '/x', contentBase64: '*' }] }, /base64/],
    ['a command that is a text', { installCommand: 'make' }, /must be a list/],
  ])('%s is 400', async (_, body, text) => {
    const answer = await refused(body);
    expect(answer).toMatchObject({ status: 400, body: { error: expect.stringMatching(text) } });
  });

  it('is not there, not theirs, no agent, or asleep', async () => {
    const body = { entrypoint: ['x'] };
    expect((await harness.call('POST', '/api/v1/sandboxes/none/configure', { body })).status).toBe(404);
    await harness.add({ name: 'code', spec: { createdBy: { sub: 'ann' } } });
    expect((await harness.call('POST', '/api/v1/sandboxes/code/configure', { body })).status).toBe(400);
    const resolved = { hash: 'h', chain: [], spec: { mode: 'agent' } } as const;
    await harness.add({ name: 'asleep', phase: 'Stopped', spec: { createdBy: { sub: 'ann' }, resolved } });
    expect((await harness.call('POST', '/api/v1/sandboxes/asleep/configure', { body })).status).toBe(409);
    expect((await harness.call('GET', '/api/v1/sandboxes/asleep/configure/install-log')).status).toBe(404);
    const key = 'atk_scoped-0123456789abcdefghijkl';
    const record = { userId: 'ann', sandboxId: 'box', actionGroups: ['agent:invoke'] };
    harness.router.stores.apiKeys.applyWatch(keySecret(key, record));
    expect((await harness.call('POST', URL_PATH, { body, key })).status).toBe(403);
  });

  it('is too much: 403 in a sentence, and the connection lives on', async () => {
    const files = (count: number, size: number) =>
      Array.from({ length: count }, (_, i) => ({ path: at(`f${i}`), content: 'x'.repeat(size) }));
    expect(await refused({ files: files(201, 0) })).toMatchObject({
      status: 403,
      body: { error: expect.stringMatching(/at most 200 files/) },
    });
    expect(await refused({ files: files(1, 32 * 1024 * 1024 + 1) })).toMatchObject({
      status: 403,
      body: { error: 'files: a file may have 32 MiB at most' },
    });
    expect(await refused({ files: files(5, 27 * 1024 * 1024) })).toMatchObject({
      status: 403,
      body: { error: 'files: the files may have 128 MiB at most' },
    });
  });

  it('is what the policy says, with each violation, an Event, and nothing uploaded', async () => {
    const violations = [
      {
        reason: 'agent_image_not_approved',
        field: 'spec.image',
        message: 'image x is not allowed for agents',
      },
    ];
    harness.api.before = async ({ verb }) => {
      if (verb !== 'get' || !harness.calls.some(({ method }) => method === 'patch')) return;
      const body = { code: 403, message: 'no', details: { causes: violations } };
      throw new KubeError({
        status: 403,
        reason: 'Forbidden',
        message: 'image x is not allowed for agents',
        body,
      });
    };
    await rm(join(folder, '.agenttier/staged'), { recursive: true, force: true });
    const answer = await refused({ files: [{ path: at('x'), content: 'secret' }], entrypoint: ['x'] });
    expect(answer).toMatchObject({
      status: 403,
      body: {
        error: 'policy_violation',
        violations: [{ code: 'agent_image_not_approved', field: 'spec.image' }],
      },
    });
    await expect(readdir(join(folder, '.agenttier/staged'))).rejects.toThrow(/ENOENT/);
    harness.api.before = undefined;
    await harness.router.close();
    const [event] = harness.calls.filter(({ method }) => method === 'create');
    expect(event?.given[2]).toMatchObject({ reason: 'ConfigureDenied', type: 'Warning' });
  });

  it('is written in the name of whoever asks', async () => {
    await configure({ entrypoint: ['x'] }, BOB_KEY);
    const patches = harness.calls.filter(({ method }) => method === 'patch');
    expect(
      patches.map(({ given }) => (given[3] as { impersonate: { user: string } }).impersonate.user),
    ).toEqual(['agenttier:bob', 'agenttier:bob']);
  });
});
