// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { copySpec } from './copy.ts';

describe('copySpec', () => {
  it('keeps what was asked for and leaves behind what is the source’s own', () => {
    const source = {
      templateRef: { name: 'python' },
      resources: { limits: { cpu: '2' } },
      createdBy: { sub: 'ann' },
      sharing: { users: [{ identity: 'bob', level: 'viewer' as const }] },
      desiredState: 'Stopped' as const,
      warmPool: 'Require' as const,
      cloneFromSnapshot: 'old',
      resolved: { hash: 'x' },
    };
    expect(copySpec(source as never, { cloneFrom: { sandbox: 'first' } })).toEqual({
      templateRef: { name: 'python' },
      resources: { limits: { cpu: '2' } },
      cloneFrom: { sandbox: 'first' },
    });
  });
});
