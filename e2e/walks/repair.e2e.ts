// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { STATE } from '../cluster/node/layout.ts';
import {
  apply,
  getJson,
  minimalSandbox,
  ok,
  plugin,
  run,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';

const root = join(import.meta.dirname, '../..');

const folder = join(STATE, 'run');

/** Pid of a process of the bare node, from the file that its start wrote. */
const pidOf = (name: string): number =>
  (JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as { pid: number }).pid;

const kill = (name: string): void => {
  const pid = pidOf(name);
  expect(pid).toBeGreaterThan(1);
  process.kill(pid, 'SIGKILL');
};

describe('make up on a node that lost its processes', () => {
  const namespace = walkNamespace('walk-repair');
  const starting = Array.from({ length: 6 }, (_, index) => `caught-${index}`);

  it.runIf(existsSync(folder))('repairs it, and the sandboxes are there again', async () => {
    // An API server that dies under a burst of starts leaves each of them at another step.
    await ok(apply(starting.map((name) => minimalSandbox(name)).join('---\n'), namespace()));
    await until('the first of them to have a pod', async () => {
      const { items } = await getJson(['pods', '-n', namespace()]);
      return items.length > 0;
    });
    for (const name of ['kubelet', 'kube-apiserver']) kill(name);
    const again = await run('node', [join(root, 'e2e/cluster/up.ts')], { timeoutMs: 280_000 });
    expect(again).toMatchObject({ code: 0 });
    expect((await getJson(['sandbox', 'hello', '-n', 'demo'])).status.phase).toBe('Running');
    expect(await ok(plugin(['exec', '-n', 'demo', 'hello', '--', 'id', '-u']))).toBe('1000\n');
    for (const name of starting) await untilPhase(name, namespace(), 'Running');
    const { items: pods } = await getJson(['pods', '-n', namespace()]);
    const { items: claims } = await getJson(['persistentvolumeclaims', '-n', namespace()]);
    expect([pods.length, claims.length]).toEqual([starting.length, starting.length]);
  });
});
