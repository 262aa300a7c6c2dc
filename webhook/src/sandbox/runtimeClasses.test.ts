// SPDX-License-Identifier: Apache-2.0
import { KubeError } from '@agenttier/machinery/kube/errors';
import { describe, expect, it } from 'vitest';
import { createRuntimeClasses } from './runtimeClasses.ts';

const { signal } = new AbortController();

function scene(existing: readonly string[]) {
  const asked: string[] = [];
  let time = 0;
  const there = new Set(existing);
  const client = {
    get: (_resource: unknown, { name }: { name: string }) => {
      asked.push(name);
      return there.has(name)
        ? Promise.resolve({ metadata: { name } })
        : Promise.reject(new KubeError({ status: 404, reason: 'NotFound', message: 'gone' }));
    },
  };
  const classes = createRuntimeClasses(client as never, () => time);
  return {
    asked,
    there,
    pass: (ms: number) => (time += ms),
    codes: async (now: string, before?: string) =>
      (
        await classes.judge(
          { runtimeClass: now },
          before === undefined ? undefined : { runtimeClass: before },
          signal,
        )
      ).map(({ code, actual }) => `${code} ${actual}`),
  };
}

describe('the runtime class of a sandbox', () => {
  it('has to exist', async () => {
    const { codes } = scene(['gvisor']);
    expect(await codes('gvisor')).toEqual([]);
    expect(await codes('gviser')).toEqual(['runtime_class_not_found gviser']);
    expect(await codes('')).toEqual([]);
  });

  it('is asked for once in a while when there, each time when missing', async () => {
    const { codes, asked, there, pass } = scene(['gvisor']);
    await codes('gvisor');
    await codes('gvisor');
    expect(asked).toEqual(['gvisor']);
    there.delete('gvisor');
    pass(10_001);
    expect(await codes('gvisor')).toHaveLength(1);
    there.add('gvisor');
    expect(await codes('gvisor')).toEqual([]);
  });

  it('does not lock a sandbox that has it already', async () => {
    const { codes, asked } = scene([]);
    expect(await codes('gone', 'gone')).toEqual([]);
    expect(asked).toEqual([]);
    expect(await codes('gone', 'other')).toHaveLength(1);
  });

  it('passes on that the API server cannot be asked', async () => {
    const client = {
      get: () =>
        Promise.reject(new KubeError({ status: 503, reason: 'ServiceUnavailable', message: 'busy' })),
    };
    await expect(
      createRuntimeClasses(client as never).judge({ runtimeClass: 'x' }, undefined, signal),
    ).rejects.toThrow('busy');
  });
});
