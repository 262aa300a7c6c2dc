// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, describe, expect, it } from 'vitest';
import { apiKey, apiUrl, childEnvironment, type Json, ok, plugin, until, walkNamespace } from './harness.ts';

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

describe('a session with the plugin', () => {
  const namespace = walkNamespace('walk-plugin');
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
    await done('create', 'desk', '-t', 'minimal-shell', '--wait');
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

  it('stops many at once', async () => {
    expect(await done('bulk', 'stop', '-l', 'walk=plugin')).toBe('sandbox.agenttier.io/desk stopping\n');
    await done('wait', 'desk', '--for', 'stopped');
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
        await liveALife(`model-${name}`, send);
      }
    } finally {
      child.stdin.end();
      await once(child, 'exit');
    }
  });

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
