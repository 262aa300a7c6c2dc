// SPDX-License-Identifier: Apache-2.0
import { parseConfigureEvent, parseInvokeEvent } from '@agenttier/crds/wire/agent';
import type { ConfigureResult, InvokeEvent } from '@agenttier/crds/wire/agent';
import { ServerEventParser } from '@agenttier/crds/wire/serverEvents';
import type { ServerEvent } from '@agenttier/crds/wire/serverEvents';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  apiKey,
  apply,
  getJson,
  inSandbox,
  type Json,
  ok,
  plugin,
  until,
  untilPhase,
  walkNamespace,
  walkTemplate,
} from './harness.ts';
import { ownRouter, type RouterPod } from './ownRouter.ts';

const TEMPLATE = 'walk-invoke';

/** Agents of several kinds, by the prompt. `tree` leaves processes in sessions of their own, one of which ignores TERM. */
const AGENT = `
case "$1" in
  --prompt=tree) setsid sh -c 'trap "" TERM; sleep 600; sleep 600' & (setsid sleep 600 &); sleep 600 & echo grown; wait ;;
  --prompt=hold) while [ ! -e /workspace/go ]; do sleep 0.05; done; echo ran ;;
  --prompt=count) i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo "line $i ✂"; [ $((i % 200)) = 0 ] && sleep 0.05; done ;;
  --prompt=fail) printf unfinished; exit 3 ;;
esac
`;

const template = `
apiVersion: agenttier.io/v1alpha1
kind: ClusterSandboxTemplate
metadata:
  name: ${TEMPLATE}
spec:
  mode: agent
  inheritsFrom: { kind: ClusterSandboxTemplate, name: minimal-shell }
  storage: { size: 64Mi }
  resources:
    requests: { cpu: 5m, memory: 16Mi }
    limits: { cpu: 500m, memory: 96Mi }
  harness:
    agent:
      maxConcurrentInvokes: 2
      defaultInvokeTimeout: 5m
`;

walkTemplate(TEMPLATE, template);

const namespace = walkNamespace('walk-invoke');

const sandbox = `
apiVersion: agenttier.io/v1alpha1
kind: Sandbox
metadata:
  name: agent
spec:
  templateRef: { name: ${TEMPLATE} }
`;

const router = ownRouter('invoke', { replicas: 2, namespaces: [namespace] });

/** The routers themselves, not the Service before them. */
async function replicas(): Promise<[RouterPod, RouterPod]> {
  const [one, two] = await router.pods();
  if (!one || !two) throw new Error('there are not two routers');
  return [one, two];
}

interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

function ask(base: string, path: string, { query, headers, ...init }: Asked = {}): Promise<Response> {
  const search = new URLSearchParams({ namespace: namespace(), ...query }).toString();
  return fetch(`${base}/api/v1/sandboxes/agent/${path}?${search}`, {
    method: 'POST',
    ...init,
    headers: { 'X-API-Key': apiKey, ...headers },
  });
}

/** Gives each event to `see`, until the connection ends, however it does. */
async function read(answer: Response, see: (event: ServerEvent) => void): Promise<void> {
  const parser = new ServerEventParser();
  const decoder = new TextDecoder();
  for await (const bytes of answer.body as unknown as AsyncIterable<Uint8Array>) {
    for (const event of parser.push(decoder.decode(bytes, { stream: true }))) see(event);
  }
}

class Reader {
  readonly events: (InvokeEvent & { readonly id: string })[] = [];
  readonly ended: Promise<unknown>;

  constructor(answer: Response) {
    const see = (event: ServerEvent): void => {
      const known = parseInvokeEvent(event);
      if (known) this.events.push({ ...known, id: event.id ?? '' });
    };
    this.ended = read(answer, see).catch((error: unknown) => error);
  }

  lines(): string[] {
    return this.events.flatMap((one) => (one.event === 'log' ? [one.data.data] : []));
  }

  get invokeId(): string {
    const start = this.events.find(({ event }) => event === 'start');
    return start?.event === 'start' ? start.data.invokeId : '';
  }
}

async function configure(
  body: object,
  signal?: AbortSignal,
): Promise<{ log: string; result: ConfigureResult | undefined }> {
  const answer = await ask(router.url, 'configure', {
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
  expect(answer.status).toBe(200);
  let log = '';
  let result: ConfigureResult | undefined;
  await read(answer, (event) => {
    const known = parseConfigureEvent(event);
    if (known?.event === 'log') log += `${known.data.data}\n`;
    if (known?.event === 'result') result = known.data;
  });
  return { log, result };
}

const state = async (): Promise<string> => {
  const answer = await ask(router.url, 'configure', { method: 'GET' });
  return ((await answer.json()) as { state: string }).state;
};
const inAgent = (script: string): Promise<string> => ok(inSandbox('agent', namespace(), script));

const ENTRYPOINT = ['/bin/sh', '/workspace/agent/run.sh'];
const INSTALLATION = {
  files: [
    { path: '/workspace/agent/run.sh', content: AGENT },
    { path: '/workspace/agent/empty', content: '' },
  ],
  installCommand: [
    '/bin/sh',
    '-c',
    'echo begun >> /workspace/installs; echo begun; while [ ! -e /workspace/install-go ]; do sleep 0.05; done; printf ended',
  ],
  entrypoint: ENTRYPOINT,
};

describe('an agent behind two routers', () => {
  beforeAll(async () => {
    await ok(apply(sandbox, namespace()));
    await untilPhase('agent', namespace(), 'Running');
  });

  it('is not invoked before it is configured', async () => {
    expect((await ask(router.url, 'invoke')).status).toBe(424);
  });

  it('is installed though the client went away, and whoever asks again follows it', async () => {
    const gone = new AbortController();
    const first = configure(INSTALLATION, gone.signal).catch((error: unknown) => error);
    await until('the installation to run', async () => (await state()) === 'Installing');
    gone.abort();
    await first;
    const second = configure(INSTALLATION);
    expect(await state()).toBe('Installing');
    await inAgent('touch /workspace/install-go');
    const { log, result } = await second;
    expect(log).toMatch(/begun\nended\n$/);
    expect(result).toMatchObject({ installExitCode: 0, skipped: false, entrypoint: ENTRYPOINT });
    expect(await inAgent('cat /workspace/installs; wc -c < /workspace/agent/empty')).toBe('begun\n0\n');
  });

  it('is not installed a second time, and its log is kept', async () => {
    const { result } = await configure(INSTALLATION);
    expect(result).toMatchObject({ installExitCode: 0, skipped: true });
    expect(await inAgent('cat /workspace/installs')).toBe('begun\n');
    for (const query of [{}, { full: 'true' }]) {
      const log = await ask(router.url, 'configure/install-log', { method: 'GET', query });
      expect(await log.json()).toEqual({ log: 'begun\nended\n' });
    }
  });

  it('is configured and invoked by the plugin, which ends as the agent does', async () => {
    const configured = await plugin(['configure', 'agent', '-n', namespace(), '--entrypoint', '/bin/true'], {
      env: router.env,
    });
    expect(configured.stdout).toContain('configure: install exit 0');
    await configure(INSTALLATION);
    const invoked = await plugin(['invoke', 'agent', '-n', namespace(), '--prompt', 'fail'], {
      env: router.env,
    });
    expect(invoked).toMatchObject({ code: 3, stdout: 'unfinished\n' });
    expect(invoked.stderr).toMatch(/invoke started: inv-[0-9a-f]{24}\n[^]*invoke completed: exit 3/);
  });

  it('runs exactly two at once of twenty that ask both routers, and tells the others to come back', async () => {
    const both = await replicas();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        ask(both[i % 2]?.url ?? '', 'invoke', { query: { prompt: 'hold' } }),
      ),
    );
    const taken = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status === 429);
    expect([taken.length, refused.length]).toEqual([2, 18]);
    expect(refused.map(({ headers }) => headers.get('retry-after'))).toEqual(Array(18).fill('5'));
    expect(await refused[0]?.json()).toMatchObject({ error: 'concurrency_exceeded', limit: 2, inflight: 2 });
    const readers = taken.map((answer) => new Reader(answer));
    await inAgent('touch /workspace/go');
    await Promise.all(readers.map(({ ended }) => ended));
    expect(readers.map((reader) => reader.lines())).toEqual([['ran'], ['ran']]);
  });

  it('ends with everything it has started within a second of the end of its connection', async () => {
    const [one, two] = await replicas();
    const gone = new AbortController();
    const reader = new Reader(
      await ask(one.url, 'invoke', { query: { prompt: 'tree' }, signal: gone.signal }),
    );
    const processes = `ps -o args | grep -c '[s]leep 600'`;
    await until('the processes', async () => Number(await inAgent(`${processes} || true`)) >= 4);
    expect(reader.lines()).toEqual(['grown']);
    const command = `while [ "$(${processes})" != 0 ]; do sleep 0.02; done`;
    const body = JSON.stringify({ command: ['/bin/sh', '-c', command], timeout: 30 });
    const watching = ask(two.url, 'exec', { body });
    const began = performance.now();
    gone.abort();
    expect(await (await watching).json()).toMatchObject({ exitCode: 0, timedOut: false });
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it('is read to its end by another router when the first is killed, with nothing lost', async () => {
    const [one, two] = await replicas();
    const first = new Reader(await ask(one.url, 'invoke', { query: { prompt: 'count', resume: '60s' } }));
    await until('some lines', async () => first.lines().length > 1000);
    await router.kill(one);
    await first.ended;
    expect(first.lines().length).toBeLessThan(20_000);
    const after = first.events.at(-1)?.id ?? '';
    const options = { method: 'GET', headers: { 'Last-Event-ID': after } };
    const second = new Reader(await ask(two.url, `invoke/${first.invokeId}`, options));
    await second.ended;
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i + 1} ✂`);
    expect([...first.lines(), ...second.lines()]).toEqual(lines);
    expect(second.events.at(-1)?.data).toMatchObject({ exitCode: 0, reason: 'completed' });
  });

  it('has told all of it in Events', async () => {
    await until('the Events', async () => {
      const list = await getJson(['events.events.k8s.io', '-n', namespace()]);
      const reasons = new Set((list.items as Json[]).map(({ reason }) => reason as string));
      return ['AgentConfigured', 'AgentInvokeStarted', 'AgentInvokeCompleted', 'AgentInvokeFailed'].every(
        (one) => reasons.has(one),
      );
    });
  });
});
