// SPDX-License-Identifier: Apache-2.0
import type { SandboxSpec } from '../generated/types.ts';

/**
 * How somebody stands to a sandbox, strongest first. `outsider` is a user of the cluster whom the sandbox does not know:
 * RBAC has let the request in, so it may manage the object as it may manage any other, but not enter it.
 */
export type Standing = 'admin' | 'owner' | 'collaborator' | 'viewer' | 'outsider' | 'stranger';

/** What can be done to one sandbox. `watch` is a terminal that shows but takes no input. */
export type SandboxAction =
  | 'read'
  | 'watch'
  | 'terminal'
  | 'exec'
  | 'readFiles'
  | 'writeFiles'
  | 'invoke'
  | 'configure'
  | 'ports'
  | 'stop'
  | 'resume'
  | 'edit'
  | 'backup'
  | 'clone'
  | 'share'
  | 'delete';

const OWNING: readonly Standing[] = ['admin', 'owner'];
const MANAGING: readonly Standing[] = ['admin', 'owner', 'outsider'];
const ENTERING: readonly Standing[] = ['admin', 'owner', 'collaborator'];
/** What is configured runs inside; whoever may replace the image may do that as well. */
const CONFIGURING: readonly Standing[] = ['admin', 'owner', 'collaborator', 'outsider'];
const SEEING: readonly Standing[] = ['admin', 'owner', 'collaborator', 'viewer'];

/**
 * Who may do what: the one table that admission, the CONNECT webhook and the router go by. Sharing is for owners only,
 * since whoever could change it could let himself in.
 */
export const ACCESS: Readonly<Record<SandboxAction, readonly Standing[]>> = {
  read: SEEING,
  watch: SEEING,
  terminal: ENTERING,
  exec: ENTERING,
  readFiles: ENTERING,
  writeFiles: ENTERING,
  invoke: ENTERING,
  configure: CONFIGURING,
  // Whoever may enter reaches every port from inside; offering one lets in nobody else.
  ports: CONFIGURING,
  stop: MANAGING,
  resume: MANAGING,
  edit: MANAGING,
  backup: MANAGING,
  // A copy is all that is in it, in the hands of whoever made it.
  clone: ENTERING,
  share: OWNING,
  delete: MANAGING,
};

/** Who acts, as far as ownership goes. */
export interface Actor {
  readonly sub: string;
  readonly email?: string | undefined;
  readonly groups: readonly string[];
  readonly admin: boolean;
  /** Authenticated by the cluster itself, not spoken for by the router. */
  readonly ofCluster: boolean;
}

type Shared = Pick<SandboxSpec, 'createdBy' | 'sharing'>;

/** The strongest standing that the actor has. An owner or share without a name belongs to nobody. */
export function standingOf(actor: Actor, shared: Shared): Standing {
  if (actor.admin) return 'admin';
  if (actor.sub !== '' && shared.createdBy?.sub === actor.sub) return 'owner';
  const levels = sharesOf(actor, shared);
  if (levels.includes('collaborator')) return 'collaborator';
  if (levels.length > 0) return 'viewer';
  return actor.ofCluster ? 'outsider' : 'stranger';
}

function sharesOf(actor: Actor, { sharing }: Shared): string[] {
  const { users = [], groups = [] } = sharing ?? {};
  const mine = [
    ...users.filter(({ identity }) => isMe(actor, identity)),
    ...groups.filter(({ identity }) => identity !== '' && actor.groups.includes(identity)),
  ];
  return mine.map(({ level }) => level);
}

/** May somebody of that standing do that? */
export function standingMay(standing: Standing, action: SandboxAction): boolean {
  return ACCESS[action].includes(standing);
}

/** May the actor do that to the sandbox? A share never takes away what a user of the cluster may do without one. */
export function mayAct(actor: Actor, sandbox: Shared, action: SandboxAction): boolean {
  return (
    standingMay(standingOf(actor, sandbox), action) || (actor.ofCluster && standingMay('outsider', action))
  );
}

const isMe = ({ sub, email }: Actor, identity: string): boolean =>
  identity !== '' && (identity === sub || identity === email);
