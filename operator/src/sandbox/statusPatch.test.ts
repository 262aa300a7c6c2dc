// SPDX-License-Identifier: Apache-2.0
import type { SandboxStatus } from '@agenttier/crds/generated/types';
import { describe, expect, it } from 'vitest';
import { statusPatch } from './statusPatch.ts';

describe('statusPatch', () => {
  it.each<[string, SandboxStatus, SandboxStatus, object]>([
    ['equal', { phase: 'Running' }, { phase: 'Running' }, {}],
    ['changed', { phase: 'Creating' }, { phase: 'Running' }, { phase: 'Running' }],
    ['gone', { startedAt: 'x', phase: 'Running' }, { phase: 'Running' }, { startedAt: null }],
    [
      'lists are replaced',
      { templateChain: [{ kind: 'SandboxTemplate', name: 'a' }] },
      { templateChain: [] },
      { templateChain: [] },
    ],
    [
      'members of an object that went are named',
      { startup: { path: 'cold', totalMs: 1, phases: { admit: 1, init: 2 } } },
      { startup: { path: 'resume', totalMs: 2, phases: { admit: 3 } } },
      { startup: { path: 'resume', totalMs: 2, phases: { admit: 3, init: null } } },
    ],
  ])('%s', (_name, before, after, expected) => {
    expect(statusPatch(before, after)).toEqual(expected);
  });
});
