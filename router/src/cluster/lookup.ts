// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { refusals } from '../api/errors.ts';
import { roleOn } from '../auth/authorize.ts';
import type { Role } from '../auth/authorize.ts';
import type { Principal } from '../auth/principal.ts';
import { BY_NAME, BY_READER, groupReader, userReader } from './caches.ts';
import type { Stores } from './caches.ts';

export interface Found {
  readonly sandbox: Sandbox;
  readonly role: Role;
}

export interface SandboxQuery {
  readonly id: string;
  /** The namespace asked for; empty or absent = look everywhere, the default one first. */
  readonly namespace?: string | undefined;
}

/**
 * The sandbox of that name which the caller may see, if the cache knows one. Names repeat over namespaces: without a namespace the
 * default one wins, else the name must be unique among what the caller may see. Others' sandboxes do not count, so
 * nobody learns of them and nobody can make somebody else's name ambiguous.
 */
export function findSandbox(
  sandboxes: Stores['sandboxes'],
  query: SandboxQuery,
  principal: Principal,
  defaultNamespace: string,
): Found | undefined {
  const visible = sandboxes
    .byIndex(BY_NAME, query.id)
    .filter((sandbox) => !query.namespace || sandbox.metadata.namespace === query.namespace)
    .flatMap((sandbox) => {
      const role = roleOn(principal, sandbox);
      return role === undefined ? [] : [{ sandbox, role }];
    });
  const first = visible.find(({ sandbox }) => sandbox.metadata.namespace === defaultNamespace) ?? visible[0];
  if (!first) return undefined;
  if (visible.length > 1 && first.sandbox.metadata.namespace !== defaultNamespace) {
    throw refusals.ambiguousSandbox(
      query.id,
      visible.map(({ sandbox }) => sandbox.metadata.namespace ?? '').sort(),
    );
  }
  return first;
}

/** All sandboxes the caller may see, in no order. */
export function visibleSandboxes(sandboxes: Stores['sandboxes'], principal: Principal): Sandbox[] {
  const candidates = principal.isAdmin ? sandboxes.list() : candidatesOf(sandboxes, principal);
  return candidates.filter((sandbox) => roleOn(principal, sandbox) !== undefined);
}

function candidatesOf(sandboxes: Stores['sandboxes'], principal: Principal): Sandbox[] {
  const readers = [
    userReader(principal.sub),
    ...(principal.email ? [userReader(principal.email)] : []),
    ...principal.groups.map(groupReader),
  ];
  return [...new Set(readers.flatMap((reader) => sandboxes.byIndex(BY_READER, reader)))];
}
