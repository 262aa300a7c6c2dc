// SPDX-License-Identifier: Apache-2.0
import { json, ScriptedServer } from '@agenttier/machinery/testing/scriptedServer';
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeHost, fakeHost, type PluginRun, runWith } from '../testing/fakeHost.ts';

let router: ScriptedServer;
let host: FakeHost;
let running: Promise<PluginRun>;

beforeEach(async () => {
  router = await ScriptedServer.start();
  host = fakeHost({
    variables: { AGENTTIER_API_URL: router.access().server, AGENTTIER_API_KEY: 'atk_secret' },
  });
});
afterEach(() => router.close());

const offer = (...names: string[]): void =>
  void router.on(
    'POST',
    '/mcp',
    json({ jsonrpc: '2.0', id: 1, result: { tools: names.map((name) => ({ name })) } }),
  );

// oxlint-disable-next-line typescript/no-explicit-any -- answers of every shape
type Message = any;
const messages = (): Message[] =>
  host.streams.out.text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** Says something to the server and waits for the answer to it. */
async function ask(id: number, method: string, params: object = {}): Promise<Message> {
  host.streams.in.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
  const answerTo = (): Message => messages().find((message) => message.id === id);
  await until(() => answerTo() !== undefined, `an answer to ${method}`);
  return answerTo();
}

async function start(): Promise<Message> {
  running = runWith(host, 'mcp');
  const clientInfo = { name: 'test', version: '1' };
  const opened = await ask(0, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  host.streams.in.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  return opened;
}

async function stop(): Promise<PluginRun> {
  host.streams.in.end();
  return running;
}

describe('kubectl agenttier mcp', () => {
  it('offers what the router offers to the key, and carries it out as REST', async () => {
    offer('sandbox_run_command', 'sandbox_terminate');
    const EXEC = '/api/v1/sandboxes/de%2Fmo/exec';
    router.on('POST', EXEC, json({ stdout: 'hi', stderr: '', exitCode: 3 }));
    expect((await start()).result).toMatchObject({
      serverInfo: { name: 'agenttier' },
      capabilities: { tools: {} },
    });
    const { tools } = (await ask(1, 'tools/list')).result;
    expect(tools.map(({ name }: Message) => name)).toEqual(['sandbox_terminate', 'sandbox_run_command']);
    const given = { sandbox_id: 'de/mo', command: 'echo hi', timeout: 5, namespace: 'team' };
    const used = await ask(2, 'tools/call', { name: 'sandbox_run_command', arguments: given });
    expect(used.result.structuredContent).toEqual({ stdout: 'hi', stderr: '', exitCode: 3 });
    const [request] = router.requestsTo(EXEC);
    expect(request?.headers['x-api-key']).toBe('atk_secret');
    expect(request?.query.toString()).toBe('namespace=team');
    expect(JSON.parse(request?.body ?? '')).toEqual({ command: 'echo hi', timeout: 5 });
    expect(await stop()).toMatchObject({ code: 0, err: '' });
  });

  it('tells a refusal to the model, violations included', async () => {
    offer('sandbox_create');
    const violations = [{ code: 'timeout_exceeded', field: 'spec.timeout', message: 'is over the maximum' }];
    router.on(
      'POST',
      '/api/v1/sandboxes',
      json({ error: 'policy_violation', message: 'refused', violations }, 403),
    );
    await start();
    const given = { name: 'x', template: 'python', timeout: '99h' };
    const { result } = await ask(1, 'tools/call', { name: 'sandbox_create', arguments: given });
    expect(result).toMatchObject({
      isError: true,
      content: [{ text: 'policy_violation: refused\nspec.timeout: is over the maximum' }],
    });
    await router.close();
    const gone = await ask(2, 'tools/call', { name: 'sandbox_create', arguments: given });
    expect(gone.result.content[0].text).toMatch(/^unable to reach the router at /);
    await stop();
    router = await ScriptedServer.start();
  });

  it('fails at its start when the router does not let it in', async () => {
    router.on('POST', '/mcp', json({ error: 'invalid_api_key', message: 'this API key is unknown' }, 401));
    expect(await runWith(host, 'mcp')).toEqual({
      code: 1,
      out: '',
      err: 'Error from router (invalid_api_key): this API key is unknown\n',
    });
    const poor = fakeHost();
    expect((await runWith(poor, 'mcp')).err).toBe(
      'error: the router cannot be used: set --api-url or AGENTTIER_API_URL, or sign in with: kubectl agenttier login --api-url URL\n',
    );
  });
});
