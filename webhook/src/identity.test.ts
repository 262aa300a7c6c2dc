// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { principalOf } from './identity.ts';

const OPERATOR = 'system:serviceaccount:agenttier:agenttier-operator';

describe('principalOf', () => {
  it.each([
    [
      'a person behind the router',
      {
        username: 'agenttier:alice',
        groups: ['agenttier:users', 'system:authenticated'],
        extra: { 'agenttier.io/email': ['alice@example.com'] },
      },
      { role: 'person', sub: 'alice', email: 'alice@example.com' },
    ],
    [
      'an administrator behind the router',
      { username: 'agenttier:root', groups: ['agenttier:users', 'agenttier:admins'] },
      { role: 'admin', sub: 'root' },
    ],
    [
      'the prefix without the group',
      { username: 'agenttier:alice', groups: [] },
      { role: 'cluster', sub: 'agenttier:alice' },
    ],
    [
      'the group without the prefix',
      { username: 'bob', groups: ['agenttier:users'] },
      { role: 'cluster', sub: 'bob' },
    ],
    [
      'a kubectl user',
      { username: 'kubernetes-admin', groups: ['system:masters'] },
      { role: 'cluster', sub: 'kubernetes-admin' },
    ],
    [
      'the operator',
      { username: OPERATOR, groups: ['system:serviceaccounts'] },
      { role: 'operator', sub: OPERATOR },
    ],
    ['nobody', {}, { role: 'cluster', sub: '' }],
  ])('%s', (_who, user, expected) => {
    expect(principalOf(user, OPERATOR)).toMatchObject(expected);
  });

  it('does not take an empty name for an operator that is not configured', () => {
    expect(principalOf({ username: '' }, '').role).toBe('cluster');
  });
});
