// SPDX-License-Identifier: Apache-2.0
import { json, ScriptedServer } from '@agenttier/machinery/testing/scriptedServer';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeHost, fakeHost, type PluginRun, runWith, writeKubeconfig } from '../testing/fakeHost.ts';
import { serveExec } from '../testing/fakePods.ts';

const sandbox = (phase: string, status: Record<string, unknown> = {}) =>
  json({
    apiVersion: 'agenttier.io/v1alpha1',
    kind: 'Sandbox',
    metadata: { name: 'demo', namespace: 'team' },
    spec: {},
    status: { phase, podName: 'demo-pod', ...status },
  });
const DEMO = '/apis/agenttier.io/v1alpha1/namespaces/team/sandboxes/demo';

let server: ScriptedServer;
let variables: Record<string, string>;
let host: FakeHost;
const start = (args: readonly string[], interactive = false): Promise<PluginRun> => {
  host = fakeHost({ variables, interactive });
  return runWith(host, ...args);
};

beforeEach(async () => {
  server = await ScriptedServer.start();
  variables = { KUBECONFIG: await writeKubeconfig(server.access().server) };
});
afterEach(() => server.close());

describe('exec through the API server', () => {
  beforeEach(() => void server.on('GET', DEMO, sandbox('Running')));

  it('runs the words in the sandbox container and answers the exit code', async () => {
    const commands = serveExec(server.server, (command) => {
      command.out('out\n').err('err\n');
      command.exit(3);
    });
    expect(await start(['exec', 'demo', '--', 'sh', '-c', 'exit 3', '-n', 'x'])).toEqual({
      code: 3,
      out: 'out\n',
      err: 'err\n',
    });
    const [command] = commands;
    expect(command?.path).toBe('/api/v1/namespaces/team/pods/demo-pod/exec');
    expect(command?.words).toEqual(['sh', '-c', 'exit 3', '-n', 'x']);
    expect(Object.fromEntries(command?.query ?? [])).toMatchObject({
      container: 'sandbox',
      stdin: 'false',
      tty: 'false',
    });
  });

  it('hands a pipe to the command, to its end, byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 256));
    const commands = serveExec(server.server, (command) => {
      void command.inputClosed.then(() => command.out(command.input).exit(0));
    });
    const running = start(['exec', 'demo', '-i', '--', 'cat']);
    host.streams.in.end(bytes);
    expect((await running).code).toBe(0);
    expect(commands[0]?.input.equals(bytes)).toBe(true);
    expect(host.streams.out.bytes.equals(bytes)).toBe(true);
  });

  it('gives the command a terminal with -it', async () => {
    const commands = serveExec(server.server, (command) => command.out('$ '));
    const running = start(['exec', 'demo', '-it', '--', 'bash'], true);
    await until(() => host.streams.out.text === '$ ');
    host.streams.in.write('exit 7\r');
    host.terminal.resize({ cols: 101, rows: 37 });
    const command = commands[0];
    await until(() => command?.input.toString() === 'exit 7\r' && command.resizes.length >= 2);
    expect(command?.resizes.at(-1)).toBe('{"Width":101,"Height":37}');
    expect(command?.query.get('tty')).toBe('true');
    command?.exit(7);
    expect((await running).code).toBe(7);
    expect(host.terminal.rawChanges).toEqual([true, false]);
  });

  it('says that -t needs a terminal, and goes on without', async () => {
    serveExec(server.server, (command) => command.exit(0));
    expect(await start(['exec', 'demo', '-t', '--', 'true'])).toMatchObject({
      code: 0,
      err: 'Unable to use a TTY - input is not a terminal or the right kind of file\n',
    });
  });

  it('ends after the timeout with the code of timeout(1)', async () => {
    serveExec(server.server, () => undefined);
    const { code, err } = await start(['exec', 'demo', '--timeout', '200ms', '--', 'sleep', '9']);
    expect({ code, err }).toEqual({
      code: 124,
      err: 'error: the command did not end within 0.2s; it may still be running\n',
    });
  });

  it('reports a program that is not there', async () => {
    serveExec(server.server, (command) => command.fail('exec: "nope": executable file not found in $PATH'));
    const { code, out, err } = await start(['exec', 'demo', '--', 'nope']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^Error from server \(InternalError\): /);
  });

  it('reports a connection that breaks', async () => {
    serveExec(server.server, (command) => command.out('half').drop());
    const { code, out, err } = await start(['exec', 'demo', '--', 'make']);
    expect({ code, out }).toEqual({ code: 1, out: 'half' });
    expect(err).toMatch(/^error: unable to reach the API server: exec connection closed/);
  });
});

describe('a sandbox without a pod to work in', () => {
  it.each([
    [
      'Stopped',
      {},
      'error: sandbox "demo" is Stopped; start it with: kubectl agenttier resume demo --wait\n',
    ],
    ['Creating', {}, 'error: sandbox "demo" is Creating; wait for it with: kubectl agenttier wait demo\n'],
    [
      'Error',
      { message: 'image not found' },
      'error: sandbox "demo" is Error (image not found); start it with: kubectl agenttier resume demo --wait\n',
    ],
  ])('%s', async (phase, status, err) => {
    server.on('GET', DEMO, sandbox(phase, status));
    expect(await start(['exec', 'demo', '--', 'true'])).toEqual({ code: 1, out: '', err });
    expect(await start(['terminal', 'demo'])).toEqual({ code: 1, out: '', err });
  });
});

describe('exec through the router', () => {
  beforeEach(() => {
    variables = {
      ...variables,
      AGENTTIER_API_URL: `${server.access().server}/base/`,
      AGENTTIER_API_KEY: 'atk_secret',
    };
  });
  const EXEC = '/base/api/v1/sandboxes/demo/exec';

  it('sends the words as they are, with the key in a header only', async () => {
    server.on('POST', EXEC, json({ stdout: 'ou\u0000t', stderr: 'err', exitCode: 4 }));
    expect(await start(['exec', 'demo', '--', 'printf', "it's $HOME"])).toEqual({
      code: 4,
      out: 'ou\u0000t',
      err: 'err',
    });
    const [request] = server.requests;
    expect(request?.headers['x-api-key']).toBe('atk_secret');
    expect(request?.query.toString()).toBe('namespace=team');
    expect(JSON.parse(request?.body ?? '')).toEqual({ command: ['printf', "it's $HOME"], timeout: 1800 });
  });

  it('tells a timeout and cut output', async () => {
    server.on('POST', EXEC, json({ stdout: 'x', stderr: '', exitCode: -1, timedOut: true, truncated: true }));
    expect(await start(['exec', 'demo', '--timeout', '2s', '--', 'sleep', '9'])).toEqual({
      code: 124,
      out: 'x',
      err: 'warning: the output was cut at the limit of the router\nerror: the command did not end within 2s and was stopped\n',
    });
    expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({ timeout: 2 });
  });

  it.each([
    [
      'its sentence',
      json({ error: 'sandbox is Stopped' }, 409),
      'Error from router (Conflict): sandbox is Stopped\n',
    ],
    [
      'its code',
      json({ error: 'invalid_api_key', message: 'key atk_secret is revoked' }, 401),
      'Error from router (invalid_api_key): key [hidden] is revoked\n',
    ],
  ])('reports %s', async (_what, reply, err) => {
    server.on('POST', EXEC, reply);
    expect(await start(['exec', 'demo', '--', 'true'])).toEqual({ code: 1, out: '', err });
  });

  it('does not follow a redirect with the key', async () => {
    server.on('POST', EXEC, (response) => void response.writeHead(302, { location: '/elsewhere' }).end());
    expect((await start(['exec', 'demo', '--', 'true'])).err).toMatch(/^error: unable to reach the router/);
    expect(server.requestsTo('/elsewhere')).toEqual([]);
  });

  it('takes the API server for -i, and when told to', async () => {
    server.on('GET', DEMO, sandbox('Running'));
    serveExec(server.server, (command) => command.exit(5));
    expect((await start(['exec', 'demo', '--via', 'kubernetes', '--', 'true'])).code).toBe(5);
    expect((await start(['exec', 'demo', '-i', '--', 'true'])).code).toBe(5);
    expect((await start(['exec', 'demo', '-i', '--via', 'router', '--', 'true'])).err).toMatch(
      /^error: -i and -t need a stream/,
    );
    expect(server.requestsTo(EXEC)).toEqual([]);
  });

  it('says what is missing for the router', async () => {
    variables = { ...variables, AGENTTIER_API_KEY: '' };
    expect((await start(['exec', 'demo', '--via', 'router', '--', 'true'])).err).toBe(
      'error: the router cannot be used: set --api-key or AGENTTIER_API_KEY, or sign in with: kubectl agenttier login --api-url URL\n',
    );
  });
});

describe('terminal through the API server', () => {
  beforeEach(() => void server.on('GET', DEMO, sandbox('Running')));

  it('joins the runtime’s session and answers the shell’s exit code', async () => {
    const commands = serveExec(server.server, (command) => command.out('$ '));
    const running = start(['terminal', 'demo', '--session', 'build'], true);
    await until(() => host.streams.out.text === '$ ');
    expect(commands[0]?.words.join(' ')).toBe(
      '/agenttier/bin/agenttier-runtime attach --session build --altscreen keep',
    );
    commands[0]?.out('last words').exit(3);
    expect(await running).toEqual({ code: 3, out: '$ last words', err: '' });
    expect(host.terminal.raw).toBe(false);
  });

  it('joins it again when the connection drops, on a cleared screen', async () => {
    const commands = serveExec(
      server.server,
      (command) => command.out('first'),
      (command) => command.out('again'),
    );
    const running = start(['terminal', 'demo'], true);
    await until(() => host.streams.out.text === 'first');
    commands[0]?.drop();
    await until(() => host.streams.out.text.endsWith('again'));
    expect(host.streams.out.text).toBe('first\u001b[0m\u001b[2J\u001b[Hagain');
    commands[1]?.exit(0);
    expect((await running).code).toBe(0);
  });

  it.each([
    [
      'says so in words',
      (command: { fail(message: string): void }) =>
        command.fail('stat /agenttier/bin/agenttier-runtime: no such file or directory'),
    ],
    ['answers 127', (command: { exit(code: number): void }) => command.exit(127)],
  ])('opens a plain shell where a runtime that is not there %s', async (_how, missing) => {
    const commands = serveExec(server.server, missing, (command) => command.out('# '));
    const running = start(['terminal', 'demo'], true);
    await until(() => host.streams.out.text === '# ');
    expect(commands[1]?.words.slice(0, 2)).toEqual(['/bin/sh', '-c']);
    commands[1]?.exit(0);
    const { code, err } = await running;
    expect(code).toBe(0);
    expect(err).toMatch(/^note: .*agenttier-runtime is not in this sandbox: opening a plain shell/);
  });

  it('detaches', async () => {
    serveExec(server.server, (command) => command.out('$ '));
    const running = start(['terminal', 'demo'], true);
    await until(() => host.streams.out.text === '$ ');
    host.streams.in.write('\u001d');
    expect((await running).code).toBe(0);
  });
});
