// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { harnessViolations } from './harness.ts';

describe('harnessViolations', () => {
  it('takes hooks that a shell can be given', () => {
    expect(harnessViolations({ harness: { hooks: { onStart: 'echo é', onStop: '' } } })).toEqual([]);
    expect(harnessViolations({})).toEqual([]);
  });

  it('counts bytes, as Linux does', () => {
    expect(harnessViolations({ harness: { hooks: { onIdle: '€'.repeat(40_000) } } })).toMatchObject([
      { code: 'invalid_value', field: 'spec.harness.hooks.onIdle', actual: '120000' },
    ]);
  });
});
