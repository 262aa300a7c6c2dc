// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { mayDo, roleOn, scopeRefusal } from './authorize.ts';
import type { Action, Role, Shareable } from './authorize.ts';
import { impersonationOf } from './principal.ts';
import type { KeyScope, Principal } from './principal.ts';

const person = (over: Partial<Principal> = {}): Principal => ({
  sub: 'ann',
  email: 'ann@example.com',
  name: 'Ann',
  groups: [],
  isAdmin: false,
  ...over,
});

const sandbox = (spec: Shareable['spec'] = {}): Shareable => ({
  metadata: { name: 'box', namespace: 'team' },
  spec,
});
const key = (over: Partial<KeyScope> = {}): KeyScope => ({
  id: 'k',
  actionGroups: [],
  allowedNamespaces: [],
  ...over,
});

describe('roleOn', () => {
  const rows: [name: string, who: Principal, what: Shareable, role: Role | undefined][] = [
    ['a stranger', person(), sandbox({ createdBy: { sub: 'bob' } }), undefined],
    ['the owner', person(), sandbox({ createdBy: { sub: 'ann' } }), 'owner'],
    ['an administrator', person({ isAdmin: true }), sandbox({ createdBy: { sub: 'bob' } }), 'admin'],
    ['nobody owns it', person({ sub: '' }), sandbox({ createdBy: { sub: '' } }), undefined],
    [
      'shared by sub',
      person(),
      sandbox({ sharing: { users: [{ identity: 'ann', level: 'collaborator' }] } }),
      'collaborator',
    ],
    [
      'shared by e-mail',
      person(),
      sandbox({ sharing: { users: [{ identity: 'ann@example.com', level: 'viewer' }] } }),
      'viewer',
    ],
    [
      'shared with nobody',
      person({ email: '' }),
      sandbox({ sharing: { users: [{ identity: '', level: 'viewer' }] } }),
      undefined,
    ],
    [
      'the stronger of two shares',
      person({ groups: ['dev'] }),
      sandbox({
        sharing: {
          users: [{ identity: 'ann', level: 'viewer' }],
          groups: [{ identity: 'dev', level: 'collaborator' }],
        },
      }),
      'collaborator',
    ],
    [
      'a group is no user',
      person({ sub: 'dev' }),
      sandbox({ sharing: { groups: [{ identity: 'dev', level: 'collaborator' }] } }),
      undefined,
    ],
    [
      'the owner with a key for other namespaces',
      person({ key: key({ allowedNamespaces: ['other'] }) }),
      sandbox({ createdBy: { sub: 'ann' } }),
      undefined,
    ],
  ];
  it.each(rows)('%s', (_name, who, what, role) => {
    expect(roleOn(who, what)).toBe(role);
  });
});

describe('mayDo', () => {
  const rows: [role: Role, can: Action[], cannot: Action[]][] = [
    ['viewer', ['read', 'watch'], ['terminal', 'exec', 'stop', 'resume', 'delete']],
    ['collaborator', ['read', 'watch', 'terminal', 'exec'], ['stop', 'resume', 'delete']],
    ['owner', ['read', 'watch', 'terminal', 'exec', 'stop', 'resume', 'delete'], []],
    ['admin', ['read', 'watch', 'terminal', 'exec', 'stop', 'resume', 'delete'], []],
  ];
  it.each(rows)('%s', (role, can, cannot) => {
    expect(can.every((action) => mayDo(role, action))).toBe(true);
    expect(cannot.some((action) => mayDo(role, action))).toBe(false);
  });
});

describe('scopeRefusal', () => {
  const scoped = (...actionGroups: string[]): Principal =>
    person({ key: key({ sandboxId: 'box', actionGroups }) });
  const rows: [
    name: string,
    who: Principal,
    action: Action | undefined,
    id: string | undefined,
    text: RegExp | undefined,
  ][] = [
    ['a person', person(), 'delete', 'box', undefined],
    ['a key of the whole person', person({ key: key() }), 'delete', 'box', undefined],
    ['all groups', scoped(), 'exec', 'box', undefined],
    ['the named group', scoped('run-command'), 'exec', 'box', undefined],
    ['another group', scoped('files:read'), 'terminal', 'box', /"terminal"/],
    ['another sandbox', scoped(), 'exec', 'other', /not bound/],
    ['delete is never granted', scoped(), 'delete', 'box', /not permitted/],
    ['a route without a sandbox', scoped(), undefined, undefined, /not permitted/],
  ];
  it.each(rows)('%s', (_name, who, action, id, text) => {
    const refusal = scopeRefusal(who, action, id);
    if (text) expect(refusal).toMatch(text);
    else expect(refusal).toBeUndefined();
  });
});

describe('impersonationOf', () => {
  it('prefixes the person and adds the admin group only to administrators', () => {
    expect(impersonationOf(person())).toEqual({
      user: 'agenttier:ann',
      groups: ['agenttier:users', 'system:authenticated'],
      extra: { 'agenttier.io/email': ['ann@example.com'] },
    });
    expect(impersonationOf(person({ isAdmin: true, email: '' }))).toEqual({
      user: 'agenttier:ann',
      groups: ['agenttier:users', 'agenttier:admins', 'system:authenticated'],
    });
  });
});
