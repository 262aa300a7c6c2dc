// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { apply, getJson, type Json, minimalSandbox, ok, rest, until, walkNamespace } from './harness.ts';
import { reasonsOf, small } from './sandboxes.ts';

describe('fifty times stop and resume at once', () => {
  const namespace = walkNamespace('walk-again');
  const names = Array.from({ length: 5 }, (_, index) => `again-${index}`);

  const uids = async (resource: string): Promise<string[]> => {
    const { items } = await getJson([resource, '-n', namespace()]);
    return items.map((one: Json) => one.metadata.uid).toSorted();
  };
  const all = async (verb: 'stop' | 'resume'): Promise<void> => {
    const path = (name: string) => `/sandboxes/${name}/${verb}?namespace=${namespace()}`;
    const answers = await Promise.all(names.map((name) => rest('POST', path(name))));
    expect(answers.map(({ status, body }) => [status, body])).toEqual(
      names.map(() => [200, { status: verb === 'stop' ? 'stopping' : 'resuming' }]),
    );
  };
  /** The operator has seen the last wish, and it is fulfilled. */
  const settled = ({ metadata, status }: Json): boolean =>
    status?.phase === 'Running' &&
    status.reason === 'Ready' &&
    status.observedGeneration === metadata.generation;
  const allSettled = async (): Promise<boolean> => {
    const { items } = await getJson(['sandboxes', '-n', namespace()]);
    expect(items.filter((one: Json) => one.status?.phase === 'Error')).toEqual([]);
    return items.every(settled);
  };

  it('is never a failure, and the volumes stay', async () => {
    await ok(apply(names.map((name) => minimalSandbox(name, small())).join('---'), namespace()));
    await until('all to run', allSettled);
    const volumes = await uids('pvc');
    for (let round = 0; round < 10; round++) {
      const before = await uids('pods');
      await all('stop');
      // Every other time the resume follows at once, when the operator may not even have seen the stop.
      const ending = async (): Promise<boolean> => {
        const { items } = await getJson(['pods', '-n', namespace()]);
        return items.every((one: Json) => one.metadata.deletionTimestamp !== undefined);
      };
      if (round % 2 === 1) await until(`the pods of round ${round} to be ended`, ending);
      await all('resume');
      await until(`round ${round} to run`, allSettled);
      const after = await uids('pods');
      expect(after).toHaveLength(names.length);
      if (round % 2 === 1) expect(after.filter((uid) => before.includes(uid))).toEqual([]);
    }
    const { items } = await getJson(['sandboxes', '-n', namespace()]);
    expect(items.filter((one: Json) => (one.status.restartCount ?? 0) > 0)).toEqual([]);
    const reasons = await Promise.all(names.map((name) => reasonsOf(name, namespace())));
    expect(reasons.flat()).not.toContain('Restarting');
    expect(await uids('pvc')).toEqual(volumes);
  });
});
