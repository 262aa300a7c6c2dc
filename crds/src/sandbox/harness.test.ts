// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { harnessViolations } from './harness.ts';

describe('harnessViolations', () => {
  it('takes hooks that a shell can be given', () => {
    expect(harnessViolations({ harness: { hooks: { onStart: 'echo é', onStop: '' } } })).toEqual([]);
    expect(harnessViolations({})).toEqual([]);
  });

  it('wants terminals that can be kept', () => {
    const at = (scrollbackBytes: string | number, detachedTTL: string) =>
      harnessViolations({ harness: { terminal: { scrollbackBytes, detachedTTL } } }).map(
        ({ field }) => field,
      );
    expect(at('4Mi', '8h')).toEqual([]);
    expect(at(262_144, '1s')).toEqual([]);
    expect(at('1Mi', '0')).toEqual([]);
    expect(at('255Ki', '10ms')).toEqual([
      'spec.harness.terminal.scrollbackBytes',
      'spec.harness.terminal.detachedTTL',
    ]);
    expect(at('65Mi', '1h')).toEqual(['spec.harness.terminal.scrollbackBytes']);
  });

  it('wants constraints that can be held to', () => {
    const at = (maxCommandTimeout: string, maxFileSize: string) =>
      harnessViolations({ harness: { constraints: { maxCommandTimeout, maxFileSize } } }).map(
        ({ field }) => field,
      );
    expect(at('30s', '100Mi')).toEqual([]);
    expect(at('5 minutes', '1')).toEqual([
      'spec.harness.constraints.maxCommandTimeout',
      'spec.harness.constraints.maxFileSize',
    ]);
    expect(at('10ms', '64Ki')).toEqual(['spec.harness.constraints.maxCommandTimeout']);
  });

  it('counts bytes, as Linux does', () => {
    expect(harnessViolations({ harness: { hooks: { onIdle: '€'.repeat(40_000) } } })).toMatchObject([
      { code: 'invalid_value', field: 'spec.harness.hooks.onIdle', actual: '120000' },
    ]);
  });
});
