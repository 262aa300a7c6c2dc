// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, SandboxStatus } from '@agenttier/crds/generated/types';
import type { EventNote } from '../decision/actions.ts';

/** Whom the spec shares the sandbox with, one line each: `user/viewer/bob@example.com`. */
export function sharedWith({ spec }: Sandbox): readonly string[] | undefined {
  const { users = [], groups = [] } = spec?.sharing ?? {};
  const lines = [
    ...users.map(({ level, identity }) => `user/${level}/${identity}`),
    ...groups.map(({ level, identity }) => `group/${level}/${identity}`),
  ];
  return lines.length === 0 ? undefined : lines.toSorted();
}

/**
 * Who has come and who has gone between two statuses, whoever wrote the spec: REST, kubectl or a link that was redeemed. It
 * is told by the write that stores the new list, so each change is told once. A new level is a grant, and no end of the old
 * one. A status of before there was a list says nothing of a spec that has not changed since.
 */
export function sharingEvents(before: SandboxStatus, after: SandboxStatus): EventNote[] {
  const [was, is] = [before.sharedWith ?? [], after.sharedWith ?? []];
  if (before.sharedWith === undefined && before.observedGeneration === after.observedGeneration) return [];
  const [old, now] = [new Set(was), new Set(is)];
  const still = new Set(is.map(whom));
  const granted = is
    .filter((line) => !old.has(line))
    .map((line) => note('ShareGranted', `Shared with ${whom(line)} as ${levelOf(line)}`));
  const revoked = was
    .filter((line) => !now.has(line) && !still.has(whom(line)))
    .map((line) => note('ShareRevoked', `No longer shared with ${whom(line)}`));
  return [...granted, ...revoked];
}

/** Names people, whom Events are not to name: more people read those. Whoever wrote the spec is audited as the one who did. */
const note = (reason: string, text: string): EventNote => ({
  type: 'Normal',
  reason,
  note: text,
  audience: 'subscribers',
});

const levelOf = (line: string): string => line.split('/', 2)[1] ?? '';

/** An identity may hold slashes. */
const whom = (line: string): string => line.replace(/^(\w+)\/\w+\//, '$1 ');
