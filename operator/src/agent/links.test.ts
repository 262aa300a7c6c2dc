// SPDX-License-Identifier: Apache-2.0
import { until } from '@agenttier/machinery/testing/until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AskRuntime, RuntimeAnswer, RuntimeCall } from '../runtime/client.ts';
import { AgentLinks } from './links.ts';
import type { AgentNews, AgentTask } from './news.ts';

const TASK: AgentTask = {
  podName: 'p',
  podUid: 'uid',
  configHash: 'c',
  settings: {
    entrypoint: ['run'],
    workingDir: '/workspace',
    env: {},
    maxConcurrent: 1,
    defaultTimeoutSeconds: 60,
    maxTimeoutSeconds: 0,
  },
};
const INSTALL: AgentTask = {
  ...TASK,
  install: { id: 'i', command: ['make'], workingDir: '/workspace', env: {}, files: [] },
};

const fine = (body: unknown = {}): RuntimeAnswer<unknown> => ({ ok: true, status: 200, body });
const refused = (status: number): RuntimeAnswer<unknown> => ({
  ok: false,
  cause: 'refused',
  status,
  message: 'no',
});
const state = (word: string, id = 'i'): RuntimeAnswer<unknown> =>
  fine({ id, state: word, exitCode: 0, log: '', bytesTotal: 0, logTruncated: false });

let end: AbortController;
let news: AgentNews[];
let asked: string[];
let address: { host: string; port: number; token: string } | undefined;

beforeEach(() => {
  end = new AbortController();
  news = [];
  asked = [];
  address = { host: 'h', port: 1, token: 't' };
});
afterEach(() => end.abort());

function links(
  answer: (call: RuntimeCall, turn: number) => RuntimeAnswer<unknown> | Promise<never>,
): AgentLinks {
  const ask = (async (_address, call) => {
    asked.push(`${call.method} ${call.path}`);
    return answer(call, asked.length);
  }) as AskRuntime;
  return new AgentLinks({
    addressOf: () => address,
    onNews: (_key, one) => news.push(one),
    signal: end.signal,
    ask,
    now: () => 1_000,
  });
}

const heard = (count: number): Promise<void> =>
  until(() => Promise.resolve(news.length >= count), `${count} pieces of news`);

describe('AgentLinks', () => {
  it('tells the settings, and that is all where nothing is to be installed', async () => {
    links(() => fine()).start('k', TASK);
    await heard(1);
    expect(news).toEqual([{ podUid: 'uid', configHash: 'c', installId: undefined }]);
    expect(asked).toEqual(['PUT /agent']);
  });

  it('follows an installation to its end', async () => {
    const answers = [fine(), state('running'), state('running'), state('done')];
    links((_call, turn) => answers[turn - 1] ?? fine()).start('k', INSTALL);
    await heard(3);
    expect(news.map(({ install }) => install?.state)).toEqual(['running', 'running', 'done']);
    expect(asked).toEqual(['PUT /agent', 'POST /install', 'GET /install?wait=25s', 'GET /install?wait=25s']);
  });

  it('ends the installation of an earlier configuration first', async () => {
    const answers = [fine(), refused(409), state('running', 'old one'), fine(), state('done')];
    links((_call, turn) => answers[turn - 1] ?? fine()).start('k', INSTALL);
    await heard(1);
    expect(asked.slice(1)).toEqual([
      'POST /install',
      'GET /install?wait=0s',
      'DELETE /install/old%20one',
      'POST /install',
    ]);
    expect(news[0]?.install?.state).toBe('done');
  });

  it.each([
    ['files that are not there', refused(424), 'FilesMissing'],
    [
      'a runtime that does not answer',
      { ok: false, cause: 'unreachable', message: 'x' } as const,
      'RuntimeUnreachable',
    ],
  ])('tells of %s, waits longer each time, and begins anew when asked', async (_what, answer, reason) => {
    const all = links((call) => (call.path === '/agent' ? fine() : answer));
    for (const [turn, wait] of [1_000, 2_000, 4_000].entries()) {
      all.start('k', INSTALL);
      await heard(turn + 1);
      expect(news.at(-1)?.fault).toMatchObject({ reason, retryAt: 1_000 + wait });
    }
  });

  it('does not take the end of another installation for that of its own', async () => {
    const answers = [fine(), state('running'), state('done', 'other')];
    links((_call, turn) => answers[turn - 1] ?? fine()).start('k', INSTALL);
    await heard(2);
    expect(news.at(-1)?.fault?.reason).toBe('RuntimeUnreachable');
  });

  it('works on one task of a sandbox at a time, and forgets one that was replaced', async () => {
    const release = Promise.withResolvers<never>();
    const all = links((call) => (call.path === '/agent' && asked.length === 1 ? release.promise : fine()));
    all.start('k', TASK);
    all.start('k', TASK);
    expect(asked).toHaveLength(1);
    all.start('k', { ...TASK, configHash: 'next' });
    await heard(1);
    release.resolve(fine() as never);
    all.start('other', TASK);
    await heard(2);
    expect(news.map(({ configHash }) => configHash)).toEqual(['next', 'c']);
  });

  it('tells that the pod is gone', async () => {
    address = undefined;
    links(() => fine()).start('k', TASK);
    await heard(1);
    expect(news[0]?.fault?.message).toContain('the pod is gone');
    expect(asked).toEqual([]);
  });
});
