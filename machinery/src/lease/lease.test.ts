// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest';
import { networkError } from '../kube/errors.ts';
import { LEASES } from '../kube/resource.ts';
import { FakeClock } from '../testing/fakeClock.ts';
import { MemoryApi } from '../testing/memoryApi.ts';
import type { MemoryCall } from '../testing/memoryApi.ts';
import type { LeaseObject } from './candidate.ts';
import { LeaseLostError, runWithLease } from './lease.ts';

let api: MemoryApi;
let clock: FakeClock;

beforeEach(() => {
  api = new MemoryApi();
  clock = new FakeClock();
});

interface Process {
  readonly identity: string;
  leading: boolean;
  led: number;
  outcome: unknown;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

/** A process that leads until it is told to stop; `work` replaces its work. */
function candidate(identity: string, work?: (signal: AbortSignal) => Promise<void>): Process {
  const stop = new AbortController();
  const state = { identity, leading: false, led: 0, outcome: undefined as unknown, stop };
  const onLead = async (signal: AbortSignal): Promise<void> => {
    state.leading = true;
    state.led++;
    try {
      await (work ?? untilAborted)(signal);
    } finally {
      state.leading = false;
    }
  };
  const options = {
    client: api,
    namespace: 'ns',
    name: 'lease',
    identity,
    onLead,
    signal: stop.signal,
    clock,
  };
  const done = runWithLease({ ...options, random: () => 0 }).then(
    () => void (state.outcome = 'resolved'),
    (error: unknown) => void (state.outcome = error),
  );
  return Object.assign(state, { done });
}

const lease = (): Promise<LeaseObject> => api.get<LeaseObject>(LEASES, { namespace: 'ns', name: 'lease' });

const cutOff = (only: string) => (call: MemoryCall) => {
  const holder = (call.body as LeaseObject | undefined)?.spec?.holderIdentity;
  if (call.verb !== 'get' && holder === only) throw networkError('cut off');
};

describe('runWithLease', () => {
  it('has one leader among many, who renews', async () => {
    const all = ['a', 'b', 'c'].map((identity) => candidate(identity));
    await clock.advance(60_000);
    expect(all.filter(({ leading }) => leading)).toHaveLength(1);
    const leader = all.find(({ leading }) => leading);
    expect((await lease()).spec).toMatchObject({
      holderIdentity: leader?.identity,
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      renewTime: '2026-01-01T00:01:00.000000Z',
    });
  });

  it('hands over within one retry period when the leader stops', async () => {
    const first = candidate('a');
    await clock.advance(10);
    const second = candidate('b');
    await clock.advance(5000);
    expect([first.leading, second.leading]).toEqual([true, false]);
    first.stop.abort();
    await first.done;
    expect(first.outcome).toBe('resolved');
    await clock.advance(2000);
    expect(second.leading).toBe(true);
    expect((await lease()).spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  it('keeps the lease until the work has really ended', async () => {
    const ended = Promise.withResolvers<void>();
    const first = candidate('a', () => ended.promise);
    await clock.advance(10);
    const second = candidate('b');
    first.stop.abort();
    await clock.advance(60_000);
    expect(second.leading).toBe(false);
    ended.resolve();
    await first.done;
    await clock.advance(2000);
    expect(second.leading).toBe(true);
  });

  it('takes over from a crashed leader after the lease has run out, not before', async () => {
    const first = candidate('a');
    await clock.advance(10);
    expect(first.leading).toBe(true);
    // From now on its writes are lost, as if the process were gone; the other one first sees the lease now.
    api.before = cutOff('a');
    const second = candidate('b');
    await clock.advance(14_000);
    expect(second.leading).toBe(false);
    await clock.advance(3000);
    expect(second.leading).toBe(true);
  });

  it('gives up leading before another can start', async () => {
    let overlapped = false;
    const first = candidate('a');
    await clock.advance(10);
    const second = candidate('b');
    await clock.advance(2000);
    api.before = cutOff('a');
    for (let i = 0; i < 300; i++) {
      await clock.advance(100);
      overlapped ||= first.leading && second.leading;
    }
    expect(overlapped).toBe(false);
    expect(second.leading).toBe(true);
    expect(first.outcome).toBeInstanceOf(LeaseLostError);
  });

  it('loses the lease within the renew deadline when the API server is away', async () => {
    const first = candidate('a');
    await clock.advance(10);
    api.before = () => {
      throw networkError('away');
    };
    await clock.advance(9000);
    expect(first.leading).toBe(true);
    await clock.advance(1500);
    expect(first.leading).toBe(false);
    expect(first.outcome).toBeInstanceOf(LeaseLostError);
  });

  it('survives a short outage', async () => {
    const first = candidate('a');
    await clock.advance(10);
    api.before = () => {
      throw networkError('away');
    };
    await clock.advance(7000);
    api.before = undefined;
    await clock.advance(60_000);
    expect(first.leading).toBe(true);
  });

  it('stops at once when somebody else holds the lease', async () => {
    const first = candidate('a');
    await clock.advance(10);
    const current = await lease();
    await api.update(LEASES, { ...current, spec: { ...current.spec, holderIdentity: 'thief' } });
    await clock.advance(2100);
    expect(first.leading).toBe(false);
    expect(first.outcome).toBeInstanceOf(LeaseLostError);
    expect((await lease()).spec?.holderIdentity).toBe('thief');
  });

  it('resolves and releases when the work is done, rejects with what the work threw', async () => {
    const worker = candidate('a', () => Promise.resolve());
    await clock.advance(10);
    await worker.done;
    expect(worker.outcome).toBe('resolved');
    expect((await lease()).spec?.holderIdentity).toBe('');
    const failing = candidate('b', () => Promise.reject(new Error('work failed')));
    await clock.advance(10);
    await failing.done;
    expect(failing.outcome).toMatchObject({ message: 'work failed' });
    expect((await lease()).spec?.holderIdentity).toBe('');
  });

  it('ends quietly when stopped before it ever led', async () => {
    const first = candidate('a');
    await clock.advance(10);
    const second = candidate('b');
    await clock.advance(100);
    second.stop.abort();
    await second.done;
    expect([second.outcome, second.led, first.leading]).toEqual(['resolved', 0, true]);
  });

  it('refuses times that allow two leaders', async () => {
    const options = {
      client: api,
      namespace: 'ns',
      name: 'l',
      identity: 'a',
      onLead: () => Promise.resolve(),
      signal: new AbortController().signal,
    };
    await expect(runWithLease({ ...options, leaseSeconds: 10, renewDeadline: 10 })).rejects.toThrow(
      RangeError,
    );
    await expect(runWithLease({ ...options, renewDeadline: 2, retryPeriod: 2 })).rejects.toThrow(RangeError);
  });
});
