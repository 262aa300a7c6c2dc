// SPDX-License-Identifier: Apache-2.0
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { crdName, VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Store } from '@agenttier/machinery/reflector/store';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SnapshotCache } from '../volume/snapshotCache.ts';
import type { Kind } from './kindCache.ts';
import { watchKind } from './kindWatch.ts';

let end: AbortController;
let kinds: Store<Kind>;
let cache: SnapshotCache;
let asked: string[];

/** An API server with one VolumeSnapshot, whose watches stay silent until they are ended. */
const client = {
  list: (async (resource: { plural: string }) => {
    asked.push(resource.plural);
    const items: KubeObject[] = [
      { metadata: { name: 's', namespace: 'team', uid: 'u', resourceVersion: '1' } },
    ];
    return { items, resourceVersion: '1' };
  }) as never,
  watch: async function* (
    _resource: unknown,
    query: { sendInitialEvents?: boolean },
    options: { signal: AbortSignal },
  ) {
    if (query.sendInitialEvents) throw new Error('not here');
    await new Promise((resolve) => options.signal.addEventListener('abort', resolve));
    yield* [];
  } as never,
};

const kind = (established: 'True' | 'False', version: string): Kind => ({
  metadata: { name: crdName(VOLUME_SNAPSHOTS), uid: 'crd', resourceVersion: version },
  status: { conditions: [{ type: 'Established', status: established }] },
});

beforeEach(() => {
  end = new AbortController();
  cache = new SnapshotCache();
  kinds = cache.kinds;
  asked = [];
  watchKind({ client, resource: VOLUME_SNAPSHOTS, cache, log: silentLogger }, end.signal);
});

afterEach(() => end.abort());

describe('the watch of a kind that may be there, here of snapshots', () => {
  it('asks for nothing in a cluster without them', () => {
    expect(cache.state).toBe('absent');
    kinds.applyWatch(kind('False', '1'));
    expect(asked).toEqual([]);
    expect(cache.state).toBe('pending');
    expect(cache.of('any')).toBeUndefined();
  });

  it('begins when the kind comes, ends when it goes, and begins again', async () => {
    const told: boolean[] = [];
    cache.onAvailability(() => told.push(cache.available));
    kinds.applyWatch(kind('True', '1'));
    await vi.waitFor(() => expect(cache.available).toBe(true), 5_000);
    expect(cache.find('team', 's')).toBeDefined();
    kinds.deleteWatch(kind('True', '2'));
    expect(cache.available).toBe(false);
    expect(cache.find('team', 's')).toBeUndefined();
    kinds.applyWatch(kind('True', '3'));
    await vi.waitFor(() => expect(cache.available).toBe(true), 5_000);
    expect(told).toEqual([true, false, true]);
  });
});
