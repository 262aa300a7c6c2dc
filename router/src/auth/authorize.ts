// SPDX-License-Identifier: Apache-2.0
import { standingMay, standingOf } from '@agenttier/crds/sandbox/access';
import type { SandboxAction, Standing } from '@agenttier/crds/sandbox/access';
import type { SandboxSpec } from '@agenttier/crds/generated/types';
import type { Principal } from './principal.ts';

/** A caller who has any standing at all on a sandbox. Owner and administrator differ only in the audit trail. */
export type Role = Exclude<Standing, 'outsider' | 'stranger'>;

/** What the router's routes do to one sandbox. */
export type Action = SandboxAction;

/** The part of a Sandbox that decides who may do what. */
export interface Shareable {
  readonly metadata: { readonly name?: string; readonly namespace?: string; readonly uid?: string };
  readonly spec?: Pick<SandboxSpec, 'createdBy' | 'sharing'>;
}

/** What every key of a sandbox may do with it: look at it, as clients do before anything else. */
export const EVERY_KEY = '';

/** Action groups of a sandbox-scoped key; `undefined` can never be granted to one. */
const GROUP: Readonly<Record<Action, string | undefined>> = {
  read: EVERY_KEY,
  watch: 'terminal',
  terminal: 'terminal',
  exec: 'run-command',
  readFiles: 'files:read',
  writeFiles: 'files:write',
  invoke: 'agent:invoke',
  configure: 'agent:configure',
  ports: 'ports',
  stop: 'stop',
  resume: 'resume',
  edit: undefined,
  share: undefined,
  backup: undefined,
  clone: undefined,
  delete: undefined,
};

/** The action group that a sandbox-scoped key needs for it; undefined when no such key may ever do it. */
export const groupOf = (action: Action): string | undefined => GROUP[action];

/** The caller's standing on a sandbox, or undefined when it must not even learn that the sandbox exists. */
export function roleOn(principal: Principal, sandbox: Shareable): Role | undefined {
  if (!namespaceAllowed(principal, sandbox.metadata.namespace)) return undefined;
  if (!boundTo(principal, sandbox)) return undefined;
  const { sub, email, groups, isAdmin } = principal;
  const actor = { sub, email, groups, admin: isAdmin, ofCluster: false };
  const standing = standingOf(actor, sandbox.spec ?? {});
  return standing === 'stranger' || standing === 'outsider' ? undefined : standing;
}

/** A key of one sandbox is of no other of that name: neither in another namespace, nor made anew after that one was gone. */
function boundTo({ key }: Principal, { metadata }: Shareable): boolean {
  if (key?.sandboxId === undefined) return true;
  const { sandboxId, sandboxNamespace, sandboxUid } = key;
  return (
    sandboxId === metadata.name &&
    (sandboxNamespace === undefined || sandboxNamespace === metadata.namespace) &&
    (sandboxUid === undefined || sandboxUid === metadata.uid)
  );
}

/** May this role do that? */
export function mayDo(role: Role, action: Action): boolean {
  return standingMay(role, action);
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
  if (group === EVERY_KEY) return undefined;
  if (scope.actionGroups.length > 0 && !scope.actionGroups.includes(group)) {
    return `scoped key lacks the "${group}" action group`;
  }
  return undefined;
}

/** Is this namespace within the caller's reach: open to the groups of the person, and not outside of what the key is for? */
export function namespaceAllowed(principal: Principal, namespace: string | undefined): boolean {
  const { key, namespaces } = principal;
  const ofKey = key?.allowedNamespaces ?? [];
  const within = (allowed: readonly string[]): boolean =>
    namespace !== undefined && allowed.includes(namespace);
  return (namespaces === undefined || within(namespaces)) && (ofKey.length === 0 || within(ofKey));
}
