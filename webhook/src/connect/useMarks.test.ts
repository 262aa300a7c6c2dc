// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { KubeError } from '@agenttier/machinery/kube/errors';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { beforeEach, describe, expect, it } from 'vitest';
import { UseMarks } from './useMarks.ts';

const box = (uid: string): Sandbox => ({ metadata: { name: 'dev', namespace: 'team', uid } });
const T0 = Date.UTC(2026, 10, 24);

let time: number;
let written: unknown[][];
let fault: Error | undefined;
let marks: UseMarks;

beforeEach(() => {
  time = T0;
  written = [];
  fault = undefined;
  const patch = (...given: unknown[]): Promise<never> => {
    written.push(given);
    return fault === undefined ? Promise.resolve({} as never) : Promise.reject(fault);
  };
  const client = { patch } as unknown as Pick<KubeClient, 'patch'>;
  marks = new UseMarks({ client, log: silentLogger, now: () => time });
});

describe('a use past the router', () => {
  it('is written into the status of the very sandbox', () => {
    marks.mark(box('u1'));
    expect(written).toHaveLength(1);
    expect(written[0]?.[1]).toEqual({ namespace: 'team', name: 'dev' });
    expect(written[0]?.[2]).toEqual({
      type: 'merge',
      body: { metadata: { uid: 'u1' }, status: { lastActivityTimestamp: '2026-11-24T00:00:00.000Z' } },
    });
    expect(written[0]?.[3]).toMatchObject({ subresource: 'status' });
  });

  it('is written twice a minute at most, for each sandbox', () => {
    for (const uid of ['u1', 'u1', 'u2']) marks.mark(box(uid));
    expect(written).toHaveLength(2);
    time += 30_000;
    marks.mark(box('u1'));
    expect(written).toHaveLength(3);
  });

  it('is tried again at the next one when it could not be written', async () => {
    fault = new KubeError({ status: 503, reason: 'Busy', message: 'busy' });
    marks.mark(box('u1'));
    await Promise.resolve().then(() => Promise.resolve());
    marks.mark(box('u1'));
    expect(written).toHaveLength(2);
  });
});
