// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { STATE } from '../cluster/node/layout.ts';
import { getJson, ok, plugin, run } from './harness.ts';

const root = join(import.meta.dirname, '../..');

const folder = join(STATE, 'run');

/** Pid of a process of the bare node, from the file that its start wrote. */
const pidOf = (name: string): number =>
  (JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as { pid: number }).pid;

describe('make up on a node that lost its processes', () => {
  it.runIf(existsSync(folder))('repairs it, and the sandboxes are there again', async () => {
    for (const name of ['kubelet', 'kube-apiserver']) {
      const pid = pidOf(name);
      expect(pid).toBeGreaterThan(1);
      process.kill(pid, 'SIGKILL');
    }
    const again = await run('node', [join(root, 'e2e/cluster/up.ts')], { timeoutMs: 280_000 });
    expect(again).toMatchObject({ code: 0 });
    expect((await getJson(['sandbox', 'hello', '-n', 'demo'])).status.phase).toBe('Running');
    expect(await ok(plugin(['exec', '-n', 'demo', 'hello', '--', 'id', '-u']))).toBe('1000\n');
  });
});
