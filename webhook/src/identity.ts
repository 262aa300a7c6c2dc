// SPDX-License-Identifier: Apache-2.0
import type { Actor } from '@agenttier/crds/sandbox/access';
import { EXTRA_EMAIL, GROUP_ADMINS, GROUP_USERS, USER_PREFIX } from '@agenttier/crds/meta/labels';
import type { UserInfo } from './review.ts';

/**
 * Who acts.
 * - `person`: somebody the router speaks for, bound by ownership;
 * - `admin`: the same with the admin group;
 * - `operator`: our own operator, which may only touch metadata;
 * - `cluster`: anybody else the API server let in, for whom RBAC has already decided.
 */
export interface Principal {
  readonly role: 'person' | 'admin' | 'operator' | 'cluster';
  /** What goes into `spec.createdBy.sub`. */
  readonly sub: string;
  readonly email?: string;
  readonly groups: readonly string[];
}

function emailOf(user: UserInfo): string | undefined {
  const email = user.extra?.[EXTRA_EMAIL]?.[0];
  return email === undefined || email === '' ? undefined : email;
}

/**
 * The prefix alone proves nothing: a cluster may well have a user called `agenttier:x`. Both prefix and group are
 * asked for, since only the router is allowed to impersonate that group.
 */
export function principalOf(user: UserInfo, operatorUsername: string): Principal {
  const username = user.username ?? '';
  const groups = user.groups ?? [];
  const email = emailOf(user);
  const withEmail = email === undefined ? {} : { email };
  if (username.startsWith(USER_PREFIX) && groups.includes(GROUP_USERS)) {
    const role = groups.includes(GROUP_ADMINS) ? 'admin' : 'person';
    return { role, sub: username.slice(USER_PREFIX.length), groups, ...withEmail };
  }
  if (username !== '' && username === operatorUsername) {
    return { role: 'operator', sub: username, groups };
  }
  return { role: 'cluster', sub: username, groups, ...withEmail };
}

/** Members of this group pass every authorizer of the API server; a rule of ours could not hold them. */
const GROUP_MASTERS = 'system:masters';

/** The principal as the ownership rules see it. */
export function actorOf({ role, sub, email, groups }: Principal): Actor {
  const admin = role === 'admin' || groups.includes(GROUP_MASTERS) || groups.includes(GROUP_ADMINS);
  return { sub, email, groups, admin, ofCluster: role === 'cluster' };
}
