// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { addAgent, EventClient, tellRuntime } from '../../../testing/agentBox.ts';
import { RuntimeClient } from '../../../cluster/runtimeClient.ts';
import { ADMIN_KEY, ANN_KEY, BOB_KEY, Harness, keySecret } from '../../../testing/harness.ts';
import { FakePodExec } from '../../../testing/fakePodExec.ts';
import { RealRuntime } from '../../../testing/realRuntime.ts';
import { relayInto } from '../../../testing/relay.ts';

let runtime: RealRuntime;
/** Two replicas before the same pod. */
let one: Harness;
let two: Harness;
let folder: string;

beforeAll(async () => {
  runtime = await RealRuntime.start(process.env);
  folder = await mkdtemp(join(tmpdir(), 'agenttier-invoke-'));
}, 120_000);
afterAll(async () => {
  await runtime.stop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  [one, two] = await Promise.all([
    Harness.start({ runtimePort: runtime.port }),
    Harness.start({ runtimePort: runtime.port }),
  ]);
  await Promise.all([addAgent(one), addAgent(two)]);
});
afterEach(() => Promise.all([one.stop(), two.stop()]));

const at = ({ url }: Harness, rest = ''): string => `${url}/api/v1/sandboxes/box/invoke${rest}`;
const exitOf = ({ events }: EventClient): unknown => events.find(({ event }) => event === 'exit')?.data;
const eventsOf = (harness: Harness): string[] =>
  harness.calls
    .filter(({ method, given }) => method === 'create' && (given[0] as { kind: string }).kind === 'Event')
    .map(({ given }) => (given[2] as { reason: string }).reason);

async function invoke(query = '', body?: string, harness = one): Promise<EventClient> {
  const client = await EventClient.open(at(harness, query), body === undefined ? {} : { body });
  await client.ended;
  return client;
}

describe('an invocation', () => {
  it('goes over the API server where the port is closed, and ends when its caller leaves', async () => {
    const podExec = await FakePodExec.start();
    podExec.onExec = relayInto(runtime);
    const far = await Harness.start({ runtimePort: 1 }, { apiServer: podExec.url });
    try {
      await addAgent(far);
      await tellRuntime(runtime.port, `echo $$ > ${folder}/far; echo here; read line; exec sleep 100`);
      const client = await EventClient.open(at(far), { body: 'line\n' });
      await until(() => client.events.some(({ event }) => event === 'log'), 'its output');
      const pid = (await readFile(`${folder}/far`, 'utf8')).trim();
      client.close();
      await until(async () => !(await isAlive(pid)), 'the agent to end');
    } finally {
      await far.stop();
      await podExec.close();
    }
  });

  it('streams its start, each line whole, the last one without an end, and its exit', async () => {
    await tellRuntime(
      runtime.port,
      `printf 'héllo 🙂\\n'; echo oops >&2; cat; printf ' ✂ unfinished'; exit 3`,
    );
    const client = await invoke('', 'from stdin');
    expect(client.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(client.headers.get('x-accel-buffering')).toBe('no');
    const [first] = client.events;
    expect(first?.data).toEqual({
      invokeId: expect.stringMatching(/^inv-[0-9a-f]{24}$/),
      startedAt: expect.any(Number),
    });
    expect(client.text()).toBe('héllo 🙂\nfrom stdin ✂ unfinished');
    expect(client.text('stderr')).toBe('oops');
    expect(client.events.at(-1)?.data).toMatchObject({
      invokeId: client.invokeId,
      exitCode: 3,
      reason: 'completed',
    });
    expect(client.events.map(({ id }) => id)).toEqual(client.events.map((_, i) => String(i + 1)));
    await one.router.close();
    expect(eventsOf(one)).toEqual(expect.arrayContaining(['AgentInvokeStarted', 'AgentInvokeFailed']));
  });

  it('gets a prompt as an argument, and as its input without a body', async () => {
    await tellRuntime(runtime.port, 'echo "$1"; cat');
    expect((await invoke('?prompt=a%20%22b%22')).text()).toBe('--prompt=a "b"\na "b"');
    expect((await invoke('?prompt=p', 'body')).text()).toBe('--prompt=p\nbody');
  });

  it('may be shorter than the template says, never longer, and a timeout that is none is left out', async () => {
    await tellRuntime(runtime.port, 'sleep 600', { defaultTimeoutSeconds: 1 });
    for (const timeout of ['50ms', '10h', 'soon']) {
      expect(exitOf(await invoke(`?timeout=${timeout}`))).toMatchObject({ exitCode: -1, reason: 'timeout' });
    }
  });

  it('takes 16 MiB of input and no more', async () => {
    await tellRuntime(runtime.port, 'wc -c');
    const body = 'x'.repeat(16 * 1024 * 1024);
    expect((await invoke('', body)).text()).toBe('16777216');
    expect(await one.call('POST', '/api/v1/sandboxes/box/invoke', { body: `${body}x` })).toMatchObject({
      status: 413,
      body: { error: expect.stringContaining('16777216') },
    });
  });

  it('is counted by template and end', async () => {
    await tellRuntime(runtime.port, 'true');
    await invoke();
    const { body } = await one.call('GET', '/metrics');
    expect(body).toMatch(/^agenttier_invoke_requests_total\{template="shell",outcome="completed",.*\} 1$/m);
    expect(body).toMatch(
      /^agenttier_invoke_duration_seconds_count\{.*template="shell",outcome="completed"\} 1$/m,
    );
  });
});

describe('what is in the way', () => {
  it('is said in the order of the contract', async () => {
    await one.add({ name: 'code', spec: { createdBy: { sub: 'ann' } } });
    const resolved = { hash: 'h', chain: [], spec: { mode: 'agent' } } as const;
    await one.add({ name: 'asleep', phase: 'Stopped', spec: { createdBy: { sub: 'ann' }, resolved } });
    const call = (name: string, key = ANN_KEY) =>
      one.call('POST', `/api/v1/sandboxes/${name}/invoke`, { key });
    expect((await call('box', 'atk_nobody')).status).toBe(401);
    expect((await call('none')).status).toBe(404);
    expect((await call('code', BOB_KEY)).status).toBe(404);
    expect(await call('code')).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('no agent') },
    });
    expect((await call('asleep')).status).toBe(409);
    expect(await one.call('POST', '/api/v1/sandboxes/box/invoke?resume=5m')).toMatchObject({
      status: 400,
      body: { violations: [{ field: 'resume' }] },
    });
  });

  it('is 424 for an agent without an entrypoint', async () => {
    const bare = await RealRuntime.start(process.env);
    const harness = await Harness.start({ runtimePort: bare.port });
    try {
      await addAgent(harness);
      const answer = await harness.call('POST', '/api/v1/sandboxes/box/invoke');
      expect(answer).toMatchObject({
        status: 424,
        body: { error: expect.stringContaining('configure it first') },
      });
    } finally {
      await harness.stop();
      await bare.stop();
    }
  });

  it('is a key for something else', async () => {
    const key = 'atk_scoped-0123456789abcdefghijkl';
    const record = { userId: 'ann', sandboxId: 'box', actionGroups: ['agent:configure'] };
    one.router.stores.apiKeys.applyWatch(keySecret(key, record));
    expect(await one.call('POST', '/api/v1/sandboxes/box/invoke', { key })).toMatchObject({
      status: 403,
      body: { error: expect.stringContaining('agent:invoke') },
    });
  });
});

describe('the cap', () => {
  it('is exact over replicas, and the refusal says how to go on', async () => {
    const go = join(folder, 'go');
    await tellRuntime(runtime.port, `while [ ! -e ${go} ]; do sleep 0.02; done; echo ran`, {
      maxConcurrent: 2,
    });
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => EventClient.open(at(i % 2 === 0 ? one : two))),
    );
    const [running, refused] = [200, 429].map((status) => all.filter((client) => client.status === status));
    expect([running?.length, refused?.length]).toEqual([2, 18]);
    expect(refused?.every(({ headers }) => headers.get('retry-after') === '5')).toBe(true);
    expect(await two.call('POST', '/api/v1/sandboxes/box/invoke')).toMatchObject({
      status: 429,
      body: { error: 'concurrency_exceeded', limit: 2, inflight: 2, message: expect.any(String) },
    });
    expect(await two.call('GET', '/api/v1/sandboxes/box/invoke')).toMatchObject({
      body: { limit: 2, inflight: 2 },
    });
    await writeFile(go, '');
    await Promise.all((running ?? []).map(({ ended }) => ended));
    expect(running?.map((client) => client.text())).toEqual(['ran', 'ran']);
    const metrics = await Promise.all([one, two].map((harness) => harness.call('GET', '/metrics')));
    const throttled = metrics.map(({ body }) =>
      Number(/^agenttier_invoke_throttled_total\{.*\} (\d+)/m.exec(body)?.[1]),
    );
    expect((throttled[0] ?? 0) + (throttled[1] ?? 0)).toBe(19);
    await rm(go);
  });
});

const isAlive = async (pid: string): Promise<boolean> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !stat.includes(') Z ');
};

describe('the end of a connection', () => {
  it('ends everything that the agent has started, whatever session it moved to', async () => {
    const pids = join(folder, 'pids');
    const child = `sh -c 'trap "" TERM HUP; echo $$ >> ${pids}; while :; do sleep 1; done'`;
    await tellRuntime(
      runtime.port,
      `${child} & setsid ${child} & (setsid ${child} &) ; echo $$ >> ${pids}; wait`,
    );
    const client = await EventClient.open(at(one));
    const started = async (): Promise<string[]> =>
      (await readFile(pids, 'utf8').catch(() => '')).split('\n').filter(Boolean);
    await until(async () => (await started()).length === 4, 'four processes');
    client.close();
    for (const pid of await started()) await until(async () => !(await isAlive(pid)), `${pid} to end`);
    await until(async () => {
      const { body } = await one.call('GET', '/metrics');
      return /^agenttier_invoke_requests_total\{.*outcome="canceled",.*\} 1$/m.test(body);
    }, 'the end to be counted');
  });

  it('is the end at once before the start has been told, also for one that asked to resume', async () => {
    const pids = join(folder, 'early');
    await tellRuntime(runtime.port, `echo $$ >> ${pids}; exec sleep 600`);
    const request = Reflect.get(RuntimeClient.prototype, 'request');
    // The client leaves when the runtime has just begun, before its answer is back.
    const left = new AbortController();
    const spy = vi.spyOn(RuntimeClient.prototype, 'request');
    spy.mockImplementation(async function (this: RuntimeClient, target, asked) {
      const answer = await request.call(this, target, asked);
      if (asked.method !== 'POST') return answer;
      left.abort();
      await until(() => asked.signal.aborted, 'the router to see it');
      answer.stream.destroy();
      throw asked.signal.reason;
    });
    const headers = { 'X-API-Key': ANN_KEY };
    const call = fetch(at(one, '?resume=60s'), { method: 'POST', headers, signal: left.signal });
    await expect(call).rejects.toThrow();
    onTestFinished(() => spy.mockRestore());
    await until(async () => {
      const { body } = await two.call('GET', '/api/v1/sandboxes/box/invoke');
      return (body as { inflight: number }).inflight === 0;
    }, 'the slot to be free');
    const pid = (await readFile(pids, 'utf8').catch(() => '')).trim();
    if (pid !== '') expect(await isAlive(pid)).toBe(false);
    const { body } = await one.call('GET', '/metrics');
    expect(body).toMatch(/^agenttier_invoke_requests_total\{.*outcome="canceled",.*\} 1$/m);
  });

  it('is no end for a client that asked to resume: another replica goes on where it was', async () => {
    const go = join(folder, 'resume');
    await tellRuntime(
      runtime.port,
      `i=0; while [ $i -lt 5000 ]; do echo "line $i"; i=$((i+1)); done; while [ ! -e ${go} ]; do sleep 0.02; done; echo end`,
    );
    const first = await EventClient.open(at(one, '?resume=30s'));
    await until(() => first.events.length > 100, 'some lines');
    first.close();
    const last = first.events.at(-1)?.id ?? '';
    const second = await EventClient.open(at(two, `/${first.invokeId}`), { method: 'GET', after: last });
    await writeFile(go, '');
    await second.ended;
    const seen = [...first.events, ...second.events];
    expect(seen.map(({ id }) => id)).toEqual(seen.map((_, i) => String(i + 1)));
    expect(`${first.text()}\n${second.text()}`).toBe(
      [...Array.from({ length: 5000 }, (_, i) => `line ${i}`), 'end'].join('\n'),
    );
    expect(exitOf(second)).toMatchObject({ exitCode: 0, reason: 'completed' });
    await two.router.close();
    expect(eventsOf(two)).toEqual(['AgentInvokeCompleted']);
    expect((await one.call('GET', '/api/v1/sandboxes/box/invoke/inv-none')).status).toBe(404);
  });
});

describe('cancelling', () => {
  it.each([
    ['the one who began it', BOB_KEY],
    ['the owner', ANN_KEY],
    ['an administrator', ADMIN_KEY],
  ])('works on any replica for %s', async (_who, key) => {
    await tellRuntime(runtime.port, 'sleep 600');
    const client = await EventClient.open(at(one), { key: BOB_KEY });
    await until(() => client.invokeId !== '', 'the start');
    const body = { invokeId: client.invokeId };
    expect((await two.call('POST', '/api/v1/sandboxes/box/invoke/cancel', { key, body })).status).toBe(204);
    await client.ended;
    expect(exitOf(client)).toMatchObject({ invokeId: client.invokeId, exitCode: -1, reason: 'canceled' });
    expect((await two.call('POST', '/api/v1/sandboxes/box/invoke/cancel', { key, body })).status).toBe(404);
  });

  it('goes by the name that the caller has given it', async () => {
    await tellRuntime(runtime.port, 'sleep 600');
    const client = await EventClient.open(at(one, '?id=mine-1&resume=30s'));
    await until(() => client.invokeId === 'mine-1', 'the start');
    expect((await two.call('POST', '/api/v1/sandboxes/box/invoke?id=mine-1')).status).toBe(409);
    expect(await one.call('POST', '/api/v1/sandboxes/box/invoke?id=not%20mine')).toMatchObject({
      status: 400,
      body: { violations: [{ field: 'id' }] },
    });
    const cancelled = await two.call('POST', '/api/v1/sandboxes/box/invoke/cancel', {
      body: { invokeId: 'mine-1' },
    });
    expect(cancelled.status).toBe(204);
    await client.ended;
    expect(exitOf(client)).toMatchObject({ invokeId: 'mine-1', reason: 'canceled' });
  });

  it('is not for somebody else, and needs an id', async () => {
    await tellRuntime(runtime.port, 'sleep 600');
    const client = await EventClient.open(at(one));
    await until(() => client.invokeId !== '', 'the start');
    const call = (body: object) =>
      two.call('POST', '/api/v1/sandboxes/box/invoke/cancel', { key: BOB_KEY, body });
    expect(await call({ invokeId: client.invokeId })).toMatchObject({
      status: 403,
      body: { error: expect.stringContaining('only who began') },
    });
    expect((await call({})).status).toBe(400);
    client.close();
  });
});
