// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { AdmissionRequest } from '../review.ts';
import { validateWarmPools } from './validate.ts';

const pool = (replicas: number, labels = {}): object => ({
  metadata: { name: 'p', labels },
  spec: { replicas },
});

describe('warm pools', () => {
  it.each([
    ['cannot be created', 'CREATE', pool(1), null, 1],
    ['cannot be changed', 'UPDATE', pool(2), pool(1), 1],
    ['keep editable metadata', 'UPDATE', pool(1, { a: 'b' }), pool(1), 0],
    ['can be deleted', 'DELETE', null, pool(1), 0],
  ] as const)('%s', async (_what, operation, object, oldObject, expected) => {
    const kind = { group: 'agenttier.io', version: 'v1alpha1', kind: 'SandboxWarmPool' };
    const request: AdmissionRequest = { uid: 'u', kind, operation, userInfo: {}, object, oldObject };
    const { violations } = await validateWarmPools(request, new AbortController().signal);
    expect(violations).toHaveLength(expected);
  });
});
