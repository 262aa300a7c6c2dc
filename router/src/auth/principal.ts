// SPDX-License-Identifier: Apache-2.0
import { EXTRA_EMAIL, GROUP_ADMINS, GROUP_USERS, USER_PREFIX } from '@agenttier/crds/meta/labels';
import type { Impersonation } from '@agenttier/machinery/kube/impersonation';

/** What a stored API key limits its bearer to; every part absent means the whole person. */
export interface KeyScope {
  /** Name of the key's Secret, which is also its id on the wire. */
  readonly id: string;
  /** The only sandbox this key may touch. */
  readonly sandboxId?: string;
  /** Where that is, and which of those that were there under its name. */
  readonly sandboxNamespace?: string;
  readonly sandboxUid?: string;
  /** Actions of that sandbox; empty means all that can be granted. */
  readonly actionGroups: readonly string[];
  /** Groups that the person was in when the key was made, of those that open namespaces. They count for nothing else. */
  readonly groups?: readonly string[];
  /** Namespaces this key may see; empty means all. */
  readonly allowedNamespaces: readonly string[];
  /** Milliseconds of the epoch at which the key stops to count, and what was opened with it ends; absent = never. */
  readonly expiresAt?: number;
}

/** The caller, as established by one of the credential checks. */
export interface Principal {
  readonly sub: string;
  readonly email: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly isAdmin: boolean;
  /** Namespaces that the person's groups open; absent = all. */
  readonly namespaces?: readonly string[];
  readonly key?: KeyScope;
  /** Milliseconds of the epoch at which the sign-in (a token) ends, and what was opened with it; keys say it in `key`. */
  readonly expiresAt?: number;
}

/** When what the caller signed in with ends, milliseconds of the epoch; undefined = never. */
export const signInEnd = ({ key, expiresAt }: Pick<Principal, 'key' | 'expiresAt'>): number | undefined =>
  key?.expiresAt ?? expiresAt;

/**
 * The identity under which writes reach the API server, so that admission, RBAC and the audit log see the person and
 * not this process. The prefix keeps a `sub` from meaning a Kubernetes user of the same name.
 */
export function impersonationOf(principal: Principal): Impersonation {
  return {
    user: `${USER_PREFIX}${principal.sub}`,
    groups: [GROUP_USERS, ...(principal.isAdmin ? [GROUP_ADMINS] : []), 'system:authenticated'],
    ...(principal.email === '' ? {} : { extra: { [EXTRA_EMAIL]: [principal.email] } }),
  };
}
