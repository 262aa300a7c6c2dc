// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const MAINS = ['router', 'operator', 'webhook', 'gateway'];
const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'agenttier-stop-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Nobody is there, so a start never comes to its end. */
const kubeconfig = join(folder, 'kubeconfig');
writeFileSync(
  kubeconfig,
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster: { server: 'http://127.0.0.1:1' } }],
    users: [{ name: 'x', user: {} }],
  }),
);

/** Sends the signal as soon as anybody listens for it. */
const AT_ONCE = `data:text/javascript,process.on('newListener', (name) => {
  if (name === 'SIGTERM') setImmediate(() => process.kill(process.pid, name));
})`;

const ENV = {
  PATH: process.env['PATH'],
  KUBECONFIG: kubeconfig,
  LISTEN_ADDR: '127.0.0.1:0',
  HEALTH_PORT: '0',
  WEBHOOK_PORT: '0',
  PROXY_PORT: '0',
  POD_NAME: 'early',
  POD_NAMESPACE: 'agenttier',
  RUNTIME_IMAGE: 'example.test/runtime:1',
  OPERATOR_USERNAME: 'system:serviceaccount:agenttier:agenttier-operator',
};

describe.each(MAINS)('the %s, told to stop while it starts', (name) => {
  const main = join(root, name, 'src/main.ts');

  it('ends by itself, as one that has done nothing wrong', async () => {
    const child = spawn(process.execPath, ['--import', AT_ONCE, main], { env: ENV });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    // Less than the pod's grace period, after which nobody is asked any more.
    const patience = setTimeout(() => child.kill('SIGKILL'), 18_000);
    const ended: unknown[] = await once(child, 'close');
    clearTimeout(patience);
    expect(ended, said).toEqual([0, null]);
    expect(said).not.toContain('"level":"fatal"');
  });

  it('listens for the signal before it evaluates any other module', () => {
    const [first] = /^import .*$/m.exec(readFileSync(main, 'utf8')) ?? [];
    expect(first).toBe("import { signal } from '@agenttier/machinery/runtime/rootSignal';");
  });
});
