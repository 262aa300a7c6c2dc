// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, SandboxStatus } from '@agenttier/crds/generated/types';
import { expect, it } from 'vitest';
import { sandbox } from '../testing/fixtures.ts';
import { sharedWith, sharingEvents } from './sharing.ts';

type Sharing = NonNullable<NonNullable<Sandbox['spec']>['sharing']>;

const ann = { identity: 'ann@example.com', level: 'viewer' } as const;
const bob = { identity: 'corp/bob', level: 'collaborator' } as const;

/** The status about one generation of the spec. */
function statusOf(sharing: Sharing, observedGeneration: number): SandboxStatus {
  const lines = sharedWith(sandbox({ spec: { sharing } }));
  return { observedGeneration, ...(lines && { sharedWith: lines }) };
}

const told = (before: SandboxStatus, after: SandboxStatus) =>
  sharingEvents(before, after).map(({ reason, note }) => `${reason}: ${note}`);

it('tells who has come, who has gone, and who may do something else now', () => {
  const none = statusOf({}, 1);
  const both = statusOf({ users: [ann, bob] }, 2);
  const more = statusOf({ users: [{ ...ann, level: 'collaborator' }, bob], groups: [ann] }, 3);
  expect(told(none, both)).toEqual([
    'ShareGranted: Shared with user corp/bob as collaborator',
    'ShareGranted: Shared with user ann@example.com as viewer',
  ]);
  expect(told(both, more)).toEqual([
    'ShareGranted: Shared with group ann@example.com as viewer',
    'ShareGranted: Shared with user ann@example.com as collaborator',
  ]);
  expect(told(more, statusOf({ groups: [ann] }, 4))).toEqual([
    'ShareRevoked: No longer shared with user ann@example.com',
    'ShareRevoked: No longer shared with user corp/bob',
  ]);
  expect(told(both, statusOf({}, 5))).toHaveLength(2);
});

it('tells nothing again, in whatever order the spec says it, and no one but subscribers', () => {
  const both = statusOf({ users: [ann, bob] }, 2);
  expect(told(both, statusOf({ users: [bob, ann] }, 3))).toEqual([]);
  expect(sharingEvents({}, both).map(({ audience }) => audience)).toEqual(['subscribers', 'subscribers']);
});

it('tells nothing of what stood in the spec before there was a list', () => {
  const both = statusOf({ users: [ann, bob] }, 2);
  expect(told({ observedGeneration: 2 }, both)).toEqual([]);
  expect(told({ observedGeneration: 1 }, both)).toHaveLength(2);
});
