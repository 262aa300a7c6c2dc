// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, describe, expect, it } from 'vitest';
import { screenText, walkBrowser } from './browser.ts';
import {
  apiKey,
  apiUrl,
  childEnvironment,
  getJson,
  type Json,
  ok,
  plugin,
  rest,
  until,
  walkNamespace,
} from './harness.ts';

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

describe('a session with the plugin', () => {
  const namespace = walkNamespace('walk-plugin');
  const tab = walkBrowser();
  let folder = '';
  /** Nothing of the router in the environment: what login remembers is all there is. */
  const run = (args: readonly string[], stdin = '') =>
    plugin([...args, '-n', namespace()], {
      stdin,
      env: { AGENTTIER_CONFIG: join(folder, 'config.json'), AGENTTIER_API_URL: '', AGENTTIER_API_KEY: '' },
    });
  const done = (...args: string[]) => ok(run(args));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'agenttier-walk-'));
    const login = await run(['login', '--api-url', apiUrl, '--with-key'], apiKey);
    expect(login).toMatchObject({ code: 0 });
    const spec = { mode: 'agent', templateRef: { name: 'minimal-shell', kind: 'ClusterSandboxTemplate' } };
    const desk = { apiVersion: 'agenttier.io/v1alpha1', kind: 'Sandbox', metadata: { name: 'desk' }, spec };
    await ok(run(['create', '-f', '-', '--wait'], JSON.stringify(desk)));
  }, 180_000);

  it('keeps the login for the person alone', async () => {
    expect((await stat(join(folder, 'config.json'))).mode & 0o777).toBe(0o600);
    expect(await done('whoami')).toMatch(/^Router: /m);
  });

  it('moves files both ways, byte for byte', async () => {
    const data = randomBytes(9_000_000);
    await writeFile(join(folder, 'in.bin'), data);
    await done('files', 'upload', 'desk', join(folder, 'in.bin'), '/workspace/a b/in.bin');
    await done('files', 'download', 'desk', '/workspace/a b/in.bin', join(folder, 'out.bin'));
    expect(sha256(await readFile(join(folder, 'out.bin')))).toBe(sha256(data));
    await done('cp', 'desk:/workspace/a b', join(folder, 'copied'));
    expect(sha256(await readFile(join(folder, 'copied/in.bin')))).toBe(sha256(data));
    expect(await done('files', 'ls', 'desk', '/workspace/a b', '--no-headers')).toMatch(
      /^in.bin +file +9000000/,
    );
    await done('files', 'rm', 'desk', '-r', '/workspace/a b');
    expect((await run(['files', 'cat', 'desk', '/workspace/a b/in.bin'])).code).toBe(1);
  });

  it('forwards a port through the kubelet', async () => {
    const args = ['agenttier', 'port-forward', 'desk', ':9000', '-n', namespace()];
    const child = spawn('kubectl', args, { env: childEnvironment() });
    try {
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
      const port = Number(/:(\d+) -> 9000$/.exec(line)?.[1]);
      // The image has no server of its own to start; the runtime's is there.
      const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
      expect(await answer.json()).toEqual({ status: 'ok' });
    } finally {
      child.kill('SIGINT');
      await once(child, 'exit');
    }
  });

  it('changes, shares, makes keys and reads logs', async () => {
    await done('patch', 'desk', '--idle-timeout', '2h', '--label', 'walk=plugin');
    expect(await done('get', 'desk', '-o', 'jsonpath={.spec.idleTimeout}')).toBe('2h');
    await done('share', 'grant', 'desk', 'bob@example.com');
    expect(await done('share', 'list', 'desk', '--no-headers')).toMatch(/^bob@example.com +user +viewer/);
    const key = await done(
      'apikey',
      'create',
      'walk',
      '--sandbox',
      'desk',
      '--action-groups',
      'run-command',
      '-o',
      'json',
    );
    const { id } = JSON.parse(key) as { id: string };
    expect(await done('apikey', 'list')).toContain(id);
    expect(await done('apikey', 'revoke', id)).toBe(`revoked ${id}\n`);
    expect((await run(['logs', 'desk', '--tail', '5'])).code).toBe(0);
  });

  it('installs an agent, runs it, and ends it by Ctrl-C', async () => {
    const entrypoint = `sh -c 'test "$1" = --prompt=hold && sleep 600; echo "said $(cat)"' agent`;
    const log = await done('configure', 'desk', '--install', 'echo installed', '--entrypoint', entrypoint);
    expect(log).toMatch(/^installed$[^]*^configure: install exit 0, hash=\w+, skipped=false$/m);
    expect(await done('logs', 'desk', '--install')).toContain('installed\n');
    const events = (await done('invoke', 'desk', '--prompt', 'hi', '-o', 'json')).trim().split('\n');
    expect(events.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'start' },
      { event: 'log', stream: 'stdout', data: 'said hi' },
      { event: 'exit', exitCode: 0 },
    ]);
    const place = `/sandboxes/desk/invoke?namespace=${namespace()}`;
    const args = ['agenttier', 'invoke', 'desk', '--prompt', 'hold', '-n', namespace()];
    const child = spawn('kubectl', args, { env: childEnvironment() });
    await until('it to be in flight', async () => (await rest('GET', place)).body.inflight === 1);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([130, null]);
    expect((await rest('GET', place)).body.inflight).toBe(0);
  });

  it('answers what else there is to ask', async () => {
    const [top, nodes, status, usage, costs, audit, names, headroom] = await Promise.all([
      done('top', 'desk', '--no-headers'),
      done('cluster', 'nodes', '--no-headers'),
      done('cluster', 'status', '-o', 'json'),
      done('usage', '-o', 'json'),
      done('costs', '-o', 'json'),
      done('audit', '--limit', '20', '-o', 'json'),
      ok(plugin(['__complete', '-n', namespace(), 'get', 'd'])),
      done('cluster', 'headroom', '-o', 'json'),
    ]);
    // CPU, memory of its limit, processes, disk of its size: on a node with either version of cgroups.
    expect(top).toMatch(/^desk +\S+ +[\d.]+ [KM]iB of [\d.]+ [MG]iB +[1-9]\d* +.* GiB of \d+/);
    expect(nodes).toMatch(/^\S+ +\S/);
    for (const text of [status, headroom]) expect(JSON.parse(text)).toEqual(expect.any(Object));
    expect(JSON.parse(usage).total_sandboxes).toBe(1);
    expect(JSON.parse(costs).per_template).toHaveLength(1);
    expect(JSON.parse(audit).events.length).toBeGreaterThan(0);
    expect(names).toBe('desk\n:4\n');
  });

  it('offers ports and subscribes', async () => {
    expect(await done('ports', 'forward', 'desk', '3000')).toMatch(/^forwarded port 3000/);
    expect(await done('ports', 'list', 'desk', '--no-headers')).toMatch(/^3000 +http/);
    await done('ports', 'remove', 'desk', '3000');
    const made = await done(
      'webhook',
      'create',
      'https://hooks.example.com/walk',
      '--event-types',
      'sandbox.error',
      '--sandbox',
      'desk',
      '-o',
      'json',
    );
    const { id } = JSON.parse(made) as { id: string };
    expect(await done('webhook', 'list')).toContain(id);
    expect((await run(['webhook', 'deliveries', id])).code).toBe(0);
    expect(await done('webhook', 'delete', id)).toBe(`deleted ${id}\n`);
  });

  it('backs up, and copies with the files', async () => {
    await ok(run(['files', 'write', 'desk', '/workspace/kept.txt', '--data', 'kept']));
    await done('backup', 'create', 'desk', '--wait');
    const [backup = ''] = (await done('backup', 'list', 'desk', '--no-headers')).split(/\s+/);
    await done('clone', 'desk', 'copy', '--wait');
    expect(await done('files', 'cat', 'copy', '/workspace/kept.txt')).toBe('kept');
    expect(await done('backup', 'delete', backup)).toContain('deleted');
    await done('delete', 'copy', '--wait');
  });

  it('opens the dashboard as whom the kubeconfig says', async () => {
    const args = ['agenttier', 'dashboard', '--no-browser', '--via', 'kubernetes'];
    const child = spawn('kubectl', args, { env: childEnvironment() });
    const keys = async (): Promise<number> =>
      (await getJson(['secrets', '-n', 'agenttier', '-l', 'agenttier.io/api-key-user'])).items.filter(
        ({ data }: Json) => atob(data.record).includes('kubectl agenttier dashboard'),
      ).length;
    try {
      const [link] = (await once(createInterface(child.stdout), 'line')) as [string];
      const { page, complaints } = await tab();
      await page.goto(link);
      const card = page
        .locator('agenttier-sandbox-card', { hasText: namespace() })
        .filter({ hasText: 'desk' });
      await card.getByRole('button', { name: 'Open terminal' }).click();
      await page.getByText('Connected').waitFor();
      await page.keyboard.type('echo $((6 * 7))-was-typed\n');
      await until('what was typed', async () => (await screenText(page)).includes('42-was-typed'));
      expect(complaints).toEqual([]);
      const { origin } = new URL(link);
      expect((await fetch(`${origin}/api/v1/sandboxes`)).status).toBe(401);
      expect(await keys()).toBe(1);
    } finally {
      child.kill('SIGINT');
      await once(child, 'exit');
    }
    expect(await keys()).toBe(0);
  });

  it('lets a model work over standard input and over HTTP', async () => {
    const child = spawn('kubectl', ['agenttier', 'mcp'], { env: childEnvironment() });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    let id = 0;
    const overStdio = async (method: string, params: object): Promise<Json> => {
      id += 1;
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
      for (;;) {
        const message: Json = JSON.parse((await lines.next()).value ?? '');
        if (message.id === id) return message.result ?? message.error;
      }
    };
    const overHttp = async (method: string, params: object): Promise<Json> => {
      const answer = await fetch(`${apiUrl}/mcp`, {
        method: 'POST',
        headers: {
          'X-API-Key': apiKey,
          'Content-Type': 'application/json',
          Accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      });
      const text = await answer.text();
      const data = /^data: (\{.*\})$/m.exec(text)?.[1] ?? text;
      const message: Json = JSON.parse(data);
      return message.result ?? message.error;
    };
    try {
      await overStdio('initialize', {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'walk', version: '1' },
      });
      for (const [name, send] of Object.entries({ stdio: overStdio, http: overHttp })) {
        await markedByEffect(send);
        await runAnAgent(send);
        await liveALife(`model-${name}`, send);
      }
    } finally {
      child.stdin.end();
      await once(child, 'exit');
    }
  });

  it('stops many at once', async () => {
    expect(await done('bulk', 'stop', '-l', 'walk=plugin')).toBe('sandbox.agenttier.io/desk stopping\n');
    await done('wait', 'desk', '--for', 'stopped');
  });

  /** A client asks its person before it uses a tool that destroys. */
  async function markedByEffect(send: (method: string, params: object) => Promise<Json>): Promise<void> {
    const { tools } = await send('tools/list', {});
    const of = (name: string): Json => tools.find((one: Json) => one.name === name).annotations;
    for (const name of ['sandbox_terminate', 'agent_configure', 'agent_invoke', 'backup_delete']) {
      expect(of(name)).toMatchObject({ readOnlyHint: false, destructiveHint: true });
    }
    expect(of('sandbox_list')).toMatchObject({ readOnlyHint: true, destructiveHint: false });
  }

  async function runAnAgent(send: (method: string, params: object) => Promise<Json>): Promise<void> {
    const use = (name: string, given: object): Promise<Json> =>
      send('tools/call', { name, arguments: { sandbox_id: 'desk', namespace: namespace(), ...given } });
    const entrypoint = ['/bin/sh', '-c', 'echo "heard $(cat)"'];
    const ready = await use('agent_configure', { entrypoint });
    expect(ready.isError ?? false, JSON.stringify(ready)).toBe(false);
    const ran = await use('agent_invoke', { prompt: 'hello' });
    expect(JSON.stringify(ran.content)).toContain('heard hello');
  }

  /** What a model does with a sandbox from its creation to its end. */
  async function liveALife(
    name: string,
    send: (method: string, params: object) => Promise<Json>,
  ): Promise<void> {
    const use = async (tool: string, given: object): Promise<Json> => {
      const where = { sandbox_id: name, namespace: namespace() };
      const result = await send('tools/call', { name: tool, arguments: { ...where, ...given } });
      if (result.isError) throw new Error(result.content[0].text);
      return result.structuredContent;
    };
    const made = { name, template: 'minimal-shell', namespace: namespace() };
    const created = await send('tools/call', { name: 'sandbox_create', arguments: made });
    expect(created.structuredContent).toMatchObject({ sandboxId: name });
    await until(`${name} to run`, async () => (await use('sandbox_status', {})).status === 'Running');
    expect(await use('sandbox_run_command', { command: 'echo $((6*7))' })).toMatchObject({
      stdout: '42\n',
      exitCode: 0,
    });
    await use('file_write', { path: '/workspace/note.txt', content: 'hällo' });
    expect(await use('file_read', { path: '/workspace/note.txt' })).toMatchObject({ content: 'hällo' });
    await use('sandbox_terminate', {});
  }
});
