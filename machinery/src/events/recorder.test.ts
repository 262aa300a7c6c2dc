// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { networkError } from '../kube/errors.ts';
import { EVENTS } from '../kube/resource.ts';
import type { KubeObject } from '../kube/resource.ts';
import { FakeClock } from '../testing/fakeClock.ts';
import { MemoryApi } from '../testing/memoryApi.ts';
import { TokenBuckets } from './bucket.ts';
import { createEventRecorder } from './recorder.ts';
import type { EventRecorder } from './recorder.ts';

interface EventObject extends KubeObject {
  readonly note: string;
  readonly reason: string;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

let api: MemoryApi;
let clock: FakeClock;
let recorder: EventRecorder;

beforeEach(() => {
  api = new MemoryApi();
  clock = new FakeClock();
  recorder = createEventRecorder({
    client: api,
    component: 'example.org/operator',
    instance: 'operator-1',
    clock,
  });
});

const regarding = (name = 'a', namespace: string | undefined = 'ns'): KubeObject => ({
  apiVersion: 'example.org/v1',
  kind: 'Thing',
  metadata: { name, uid: `uid-${name}`, resourceVersion: '5', ...(namespace ? { namespace } : {}) },
});

const occurrence = (note = 'Pod started', of = regarding()) => ({
  regarding: of,
  type: 'Normal' as const,
  reason: 'Started',
  note,
});

const events = async (): Promise<EventObject[]> => {
  await recorder.flush();
  return (await api.list<EventObject>(EVENTS)).items;
};

describe('event recorder', () => {
  it('writes an events.k8s.io event', async () => {
    recorder.record({ ...occurrence(), action: 'StartPod' });
    expect(await events()).toMatchObject([
      {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { namespace: 'ns', name: expect.stringMatching(/^a\.[0-9a-f]{16}$/) as string },
        eventTime: '2026-01-01T00:00:00.000000Z',
        reportingController: 'example.org/operator',
        reportingInstance: 'operator-1',
        action: 'StartPod',
        reason: 'Started',
        type: 'Normal',
        note: 'Pod started',
        regarding: { apiVersion: 'example.org/v1', kind: 'Thing', namespace: 'ns', name: 'a', uid: 'uid-a' },
      },
    ]);
  });

  it('counts the same occurrence as a series, other notes and objects apart', async () => {
    recorder.record(occurrence());
    recorder.record(occurrence());
    await clock.advance(60_000);
    recorder.record(occurrence());
    recorder.record(occurrence('Pod failed'));
    recorder.record(occurrence('Pod started', regarding('b')));
    const [first, ...others] = await events();
    expect(first?.series).toEqual({ count: 3, lastObservedTime: '2026-01-01T00:01:00.000000Z' });
    expect(others.map(({ series }) => series)).toEqual([undefined, undefined]);
  });

  it('starts a new event when the series is old or its event has expired', async () => {
    recorder.record(occurrence());
    await clock.advance(7 * 60_000);
    recorder.record(occurrence());
    const [, second] = await events();
    await api.delete(EVENTS, { namespace: 'ns', name: second?.metadata.name ?? '' });
    recorder.record(occurrence());
    expect(await events()).toMatchObject([{ note: 'Pod started' }, { note: 'Pod started' }]);
  });

  it('files events of cluster-scoped objects under default', async () => {
    const { namespace: _none, ...metadata } = regarding().metadata;
    recorder.record(occurrence('x', { ...regarding(), metadata }));
    expect((await events())[0]?.metadata.namespace).toBe('default');
  });

  it('limits what one object can cause, and refills slowly', async () => {
    for (let i = 0; i < 40; i++) recorder.record(occurrence(`note ${i}`));
    recorder.record(occurrence('other', regarding('b')));
    expect(await events()).toHaveLength(26);
    expect(recorder.dropped).toBe(15);
    await clock.advance(301_000);
    recorder.record(occurrence('later'));
    expect(await events()).toHaveLength(27);
  });

  it('never throws when the API server refuses, and goes on afterwards', async () => {
    api.before = () => {
      throw networkError('away');
    };
    recorder.record(occurrence());
    await recorder.flush();
    expect(recorder.dropped).toBe(1);
    api.before = undefined;
    recorder.record(occurrence());
    expect(await events()).toHaveLength(1);
  });

  it('cuts long notes at a whole character', async () => {
    recorder.record(occurrence('é'.repeat(800)));
    const [event] = await events();
    expect(Buffer.byteLength(event?.note ?? '')).toBeLessThanOrEqual(1024);
    expect(event?.note).toMatch(/^é+…$/);
  });
});

describe('TokenBuckets', () => {
  it('forgets the key that was used longest ago', () => {
    const buckets = new TokenBuckets({ burst: 1, perSecond: 0, maxKeys: 2 });
    expect(['a', 'b', 'a', 'c', 'b', 'a'].map((key) => buckets.take(key, 0))).toEqual([
      true,
      true,
      false,
      true,
      true,
      true,
    ]);
  });

  it('fills up to its burst and no further', () => {
    const buckets = new TokenBuckets({ burst: 2, perSecond: 1 });
    expect([0, 0, 0, 1000, 1000, 100_000, 100_000, 100_000].map((now) => buckets.take('a', now))).toEqual([
      true,
      true,
      false,
      true,
      false,
      true,
      true,
      false,
    ]);
  });
});
