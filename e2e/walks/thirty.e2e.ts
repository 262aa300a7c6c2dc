// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { apply, getJson, type Json, minimalSandbox, ok, until, walkNamespace } from './harness.ts';
import { small } from './sandboxes.ts';

describe('thirty sandboxes at once', () => {
  const namespace = walkNamespace('walk-thirty');
  const names = Array.from({ length: 30 }, (_, index) => `one-${index}`);

  it('all run', async () => {
    await ok(apply(names.map((name) => minimalSandbox(name, small())).join('---'), namespace()));
    await until(
      'all to run',
      async () => {
        const { items } = await getJson(['sandboxes', '-n', namespace()]);
        return items.filter((one: Json) => one.status?.phase === 'Running').length === names.length;
      },
      240_000,
    );
    const { items } = await getJson(['sandboxes', '-n', namespace()]);
    expect(items.filter((one: Json) => (one.status.restartCount ?? 0) > 0)).toEqual([]);
  });
});
