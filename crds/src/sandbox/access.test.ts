// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { SandboxSpec } from '../generated/types.ts';
import { mayAct, standingOf } from './access.ts';
import type { Actor, SandboxAction } from './access.ts';

const actor = (over: Partial<Actor> = {}): Actor => ({
  sub: 'ann',
  groups: [],
  admin: false,
  ofCluster: false,
  ...over,
});

const of = (sub: string, sharing: NonNullable<SandboxSpec['sharing']> = {}): SandboxSpec => ({
  createdBy: { sub },
  sharing,
});
const sharedWith = (identity: string, level: 'viewer' | 'collaborator'): SandboxSpec =>
  of('bob', { users: [{ identity, level }] });
const groupHas = (level: 'viewer' | 'collaborator'): SandboxSpec =>
  of('bob', { groups: [{ identity: 'dev', level }] });

describe('standing', () => {
  it.each([
    ['an administrator', actor({ admin: true }), of('bob'), 'admin'],
    ['the owner', actor(), of('ann'), 'owner'],
    ['nobody owns it', actor({ sub: '' }), { createdBy: { sub: '' } }, 'stranger'],
    ['no owner is written', actor(), {}, 'stranger'],
    ['shared by sub', actor(), sharedWith('ann', 'collaborator'), 'collaborator'],
    ['shared by e-mail', actor({ email: 'a@x' }), sharedWith('a@x', 'viewer'), 'viewer'],
    ['shared with nobody', actor({ email: '' }), sharedWith('', 'collaborator'), 'stranger'],
    ['shared with a group', actor({ groups: ['dev'] }), groupHas('collaborator'), 'collaborator'],
    [
      'a group of no name',
      actor({ groups: [''] }),
      of('bob', { groups: [{ identity: '', level: 'viewer' }] }),
      'stranger',
    ],
    [
      'the stronger of two shares',
      actor({ groups: ['dev'] }),
      of('bob', {
        users: [{ identity: 'ann', level: 'viewer' }],
        groups: [{ identity: 'dev', level: 'collaborator' }],
      }),
      'collaborator',
    ],
    ['a user of the cluster', actor({ ofCluster: true }), of('bob'), 'outsider'],
  ] as const)('%s', (_who, who, spec, expected) => {
    expect(standingOf(who, spec)).toBe(expected);
  });
});

describe('the ownership table', () => {
  const actions: SandboxAction[] = [
    'read',
    'watch',
    'terminal',
    'exec',
    'invoke',
    'configure',
    'stop',
    'resume',
    'edit',
    'share',
    'delete',
  ];
  const allowed = (who: Actor, spec: SandboxSpec): string =>
    actions.filter((action) => mayAct(who, spec, action)).join(' ');

  it.each([
    ['an administrator', actor({ admin: true }), of('bob'), actions.join(' ')],
    ['the owner', actor(), of('ann'), actions.join(' ')],
    [
      'a collaborator',
      actor(),
      sharedWith('ann', 'collaborator'),
      'read watch terminal exec invoke configure',
    ],
    ['a viewer', actor(), sharedWith('ann', 'viewer'), 'read watch'],
    ['a stranger', actor(), of('bob'), ''],
    ['a user of the cluster', actor({ ofCluster: true }), of('bob'), 'configure stop resume edit delete'],
    [
      'a user of the cluster who is a viewer, too',
      actor({ ofCluster: true }),
      sharedWith('ann', 'viewer'),
      'read watch configure stop resume edit delete',
    ],
  ])('%s', (_who, who, spec, expected) => {
    expect(allowed(who, spec)).toBe(expected);
  });
});
