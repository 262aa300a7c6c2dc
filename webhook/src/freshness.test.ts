// SPDX-License-Identifier: Apache-2.0
import { KubeError } from '@agenttier/machinery/kube/errors';
import { describe, expect, it } from 'vitest';
import { Freshness } from './freshness.ts';

const error = (status: number): KubeError => new KubeError({ status, reason: 'x', message: 'x' });

describe('Freshness', () => {
  it.each([401, 403, 404])('a watch refused with %i is stale at once', (status) => {
    const freshness = new Freshness(() => 0);
    freshness.failed(error(status));
    expect(freshness.current()).toBe(false);
  });

  it.each([0, 410, 500, 503])('a watch that ended with %i has half a minute to come back', (status) => {
    let now = 0;
    const freshness = new Freshness(() => now);
    freshness.failed(error(status));
    expect(freshness.current()).toBe(true);
    now = 20_000;
    freshness.failed(error(status));
    now = 30_000;
    expect(freshness.current()).toBe(false);
    freshness.heard();
    expect(freshness.current()).toBe(true);
  });
});
