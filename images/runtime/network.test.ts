// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime, buildRuntime } from './testRuntime.ts';

let program = '';
let runtime: Runtime;
let app: Server;
let port = 0;
let seen: { url: string; headers: IncomingHttpHeaders } | undefined;

beforeAll(async () => {
  program = buildRuntime();
  runtime = await Runtime.start(program);
  app = createServer((request, response) => {
    seen = { url: request.url ?? '', headers: request.headers };
    response.writeHead(401, { 'www-authenticate': 'Basic' }).end('who are you?');
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  ({ port } = app.address() as AddressInfo);
}, 240_000);

afterAll(async () => {
  app?.close();
  await runtime?.stop();
  if (program !== '') rmSync(dirname(program), { recursive: true, force: true });
});

describe('ports', () => {
  it('lists who listens, but not the runtime itself', async () => {
    const { ports } = (await (await runtime.fetch('/ports')).json()) as { ports: { port: number }[] };
    expect(ports).toContainEqual({
      port,
      addresses: ['127.0.0.1'],
      pid: process.pid,
      command: expect.any(String),
    });
    expect(ports.map((each) => each.port)).not.toContain(runtime.port);
  });

  it('needs the token, also where programs of the sandbox are asked', async () => {
    for (const path of ['/ports', '/stats', '/metrics', `/proxy/${port}/`]) {
      expect((await fetch(`http://${runtime.address}${path}`)).status, path).toBe(401);
    }
  });
});

describe('proxy', () => {
  it('tells the answer of a program from its own, and shows it no token', async () => {
    const answer = await runtime.fetch(`/proxy/${port}//a/..%2Fb?x=1`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('x-agenttier-proxied')).toBe('true');
    expect(await answer.text()).toBe('who are you?');
    expect(seen?.url).toBe('//a/..%2Fb?x=1');
    expect(seen?.headers).not.toHaveProperty('authorization');
  });

  it('never leads to the runtime itself', async () => {
    const answer = await runtime.fetch(`/proxy/${runtime.port}/version`);
    expect(answer.status).toBe(403);
    expect(answer.headers.get('x-agenttier-proxied')).toBeNull();
  });
});

describe('figures', () => {
  it('tells what the sandbox uses, for people and for Prometheus', async () => {
    const stats = (await (await runtime.fetch('/stats')).json()) as { workspace: { total: number } };
    expect(stats).toMatchObject({ workspace: { path: runtime.workdir }, lastActivity: expect.any(String) });
    expect(stats.workspace.total).toBeGreaterThan(0);
    const page = await (await runtime.fetch('/metrics')).text();
    expect(page).toMatch(/^agenttier_runtime_resident_memory_bytes \d/m);
    expect(page).toMatch(/^agenttier_sandbox_workspace_free_bytes \d/m);
  });
});
