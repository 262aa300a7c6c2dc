// SPDX-License-Identifier: Apache-2.0
import type { Principal } from './principal.ts';

/** Strongest first. Owner and administrator differ only in the audit trail. */
export type Role = 'admin' | 'owner' | 'collaborator' | 'viewer';

/** What can be done to one sandbox. `watch` is a terminal that shows but takes no input. */
export type Action = 'read' | 'watch' | 'terminal' | 'exec' | 'stop' | 'resume' | 'delete';

/** The part of a Sandbox that decides who may do what. */
export interface Shareable {
  readonly metadata: { readonly name?: string; readonly namespace?: string };
  readonly spec?: {
    readonly createdBy?: { readonly sub?: string };
    readonly sharing?: {
      readonly users?: readonly Share[];
      readonly groups?: readonly Share[];
    };
  };
}

interface Share {
  readonly identity: string;
  readonly level?: string;
}

const ALL: readonly Role[] = ['admin', 'owner', 'collaborator', 'viewer'];
const OWNING: readonly Role[] = ['admin', 'owner'];
const CONTROL: readonly Role[] = ['admin', 'owner', 'collaborator'];

const ALLOWED: Readonly<Record<Action, readonly Role[]>> = {
  read: ALL,
  watch: ALL,
  terminal: CONTROL,
  exec: CONTROL,
  stop: OWNING,
  resume: OWNING,
  delete: OWNING,
};

/** Action groups of a sandbox-scoped key; `undefined` can never be granted to one. */
const GROUP: Readonly<Record<Action, string | undefined>> = {
  read: undefined,
  watch: 'terminal',
  terminal: 'terminal',
  exec: 'run-command',
  stop: 'stop',
  resume: 'resume',
  delete: undefined,
};

/** The caller's standing on a sandbox, or undefined when it must not even learn that the sandbox exists. */
export function roleOn(principal: Principal, sandbox: Shareable): Role | undefined {
  if (!namespaceAllowed(principal, sandbox.metadata.namespace)) return undefined;
  if (principal.isAdmin) return 'admin';
  const owner = sandbox.spec?.createdBy?.sub;
  if (owner !== undefined && owner !== '' && owner === principal.sub) return 'owner';
  return sharedRole(principal, sandbox);
}

/** May this role do that? */
export function mayDo(role: Role, action: Action): boolean {
  return ALLOWED[action].includes(role);
}

/**
 * Why a sandbox-scoped key may not do this, or undefined when it may (or the key is not scoped to a sandbox). A scoped
 * key is refused by default: only named actions on its own sandbox pass. `action` undefined = a route without a sandbox.
 */
export function scopeRefusal(
  principal: Principal,
  action: Action | undefined,
  sandboxId?: string,
): string | undefined {
  const scope = principal.key;
  if (scope?.sandboxId === undefined) return undefined;
  const group = action === undefined ? undefined : GROUP[action];
  if (group === undefined) return 'scoped key not permitted for this route';
  if (scope.sandboxId !== sandboxId) return 'scoped key is not bound to this sandbox';
  if (scope.actionGroups.length > 0 && !scope.actionGroups.includes(group)) {
    return `scoped key lacks the "${group}" action group`;
  }
  return undefined;
}

/** Is this namespace within the key's reach? Persons and unlimited keys reach all. */
export function namespaceAllowed(principal: Principal, namespace: string | undefined): boolean {
  const allowed = principal.key?.allowedNamespaces ?? [];
  return allowed.length === 0 || (namespace !== undefined && allowed.includes(namespace));
}

function sharedRole(principal: Principal, sandbox: Shareable): Role | undefined {
  const { users = [], groups = [] } = sandbox.spec?.sharing ?? {};
  const mine = [
    ...users.filter((share) => isMe(principal, share.identity)),
    ...groups.filter((share) => principal.groups.includes(share.identity)),
  ];
  if (mine.length === 0) return undefined;
  return mine.some((share) => share.level === 'collaborator') ? 'collaborator' : 'viewer';
}

/** An empty identity in a share, or an account without e-mail, must match nobody. */
const isMe = (principal: Principal, identity: string): boolean =>
  identity !== '' && (identity === principal.sub || identity === principal.email);
