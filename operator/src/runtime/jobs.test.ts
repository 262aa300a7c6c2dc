// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { AskRuntime, RuntimeAnswer } from './client.ts';
import { RuntimeJobs } from './jobs.ts';

const ADDRESS = { host: '10.0.0.7', port: 9000, token: 'secret' };
const JOB = { id: 'pod/onStart', call: { method: 'POST', path: '/hooks/onStart' } } as const;
const DONE: RuntimeAnswer<unknown> = { ok: true, status: 200, body: {} };
const LOST: RuntimeAnswer<unknown> = { ok: false, cause: 'lost', message: 'cut' };
const REFUSED: RuntimeAnswer<unknown> = { ok: false, cause: 'refused', status: 400, message: 'no' };

/** Jobs against a runtime that gives these answers one after the other, the last one for ever. */
function scene(...answers: RuntimeAnswer<unknown>[]) {
  const ended: [key: string, id: string, answer: RuntimeAnswer<unknown>][] = [];
  let asked = 0;
  let tell: () => void = () => undefined;
  const end = new Promise<void>((resolve) => (tell = resolve));
  const ask = (async () => answers[Math.min(asked++, answers.length - 1)]) as AskRuntime;
  const jobs = new RuntimeJobs({
    ask,
    pauseMs: 0,
    signal: new AbortController().signal,
    onEnd: (...what) => {
      ended.push(what);
      tell();
    },
  });
  return { jobs, ended, end, asked: () => asked };
}

describe('RuntimeJobs', () => {
  it('tells the end once, however often the job is started meanwhile', async () => {
    const { jobs, ended, end, asked } = scene(DONE);
    for (let i = 0; i < 3; i++) jobs.start('team/one', JOB, ADDRESS);
    await end;
    expect(ended).toEqual([['team/one', JOB.id, DONE]]);
    expect(asked()).toBe(1);
  });

  it('asks again when an answer was lost', async () => {
    const { jobs, ended, end, asked } = scene(LOST, DONE);
    jobs.start('team/one', JOB, ADDRESS);
    await end;
    expect(ended[0]?.[2]).toBe(DONE);
    expect(asked()).toBe(2);
  });

  it('gives up after three tries, and at once when the runtime says no', async () => {
    const silent = scene(LOST);
    silent.jobs.start('team/one', JOB, ADDRESS);
    await silent.end;
    expect([silent.asked(), silent.ended[0]?.[2]]).toEqual([3, LOST]);
    const strict = scene(REFUSED);
    strict.jobs.start('team/one', JOB, ADDRESS);
    await strict.end;
    expect([strict.asked(), strict.ended[0]?.[2]]).toEqual([1, REFUSED]);
  });

  it('tells nobody about a sandbox that is gone', async () => {
    let answer: (value: RuntimeAnswer<unknown>) => void = () => undefined;
    const asked = new Promise<RuntimeAnswer<unknown>>((resolve) => (answer = resolve));
    const ended: string[] = [];
    const jobs = new RuntimeJobs({
      ask: (() => asked) as AskRuntime,
      signal: new AbortController().signal,
      onEnd: (key) => ended.push(key),
    });
    jobs.start('team/one', JOB, ADDRESS);
    jobs.forget('team/one');
    answer(DONE);
    await asked;
    await Promise.resolve();
    expect(ended).toEqual([]);
  });
});
