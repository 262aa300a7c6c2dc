// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { Store } from '@agenttier/machinery/reflector/store';
import type { AuditTrail } from './trail.ts';

export interface FollowBackupsOptions {
  readonly stores: { readonly sandboxes: Store<Sandbox> };
  readonly kept: Pick<AuditTrail, 'keepOnce'>;
  readonly now?: () => number;
}

/** What a router that has just come may have missed. */
const MISSED_MS = 24 * 3_600_000;
const OPERATOR = { sub: 'agenttier-operator' };

/**
 * Keeps which backups the operator has deleted to make room: nobody asks for that over REST, so it is read off the status of
 * the sandboxes. Each replica sees all of it, and so does one that starts; the row's id follows from what happened, so that a
 * store keeps it once.
 */
export function followBackups({ stores, kept, now = Date.now }: FollowBackupsOptions): void {
  stores.sandboxes.subscribe(({ type, object, old }) => {
    if (type === 'deleted') return;
    const names = new Set((old && prunedOf(old))?.map(({ name }) => name));
    for (const { name, time } of prunedOf(object)) {
      const at = Date.parse(time);
      if (!names.has(name) && at > now() - MISSED_MS) keepPruned(kept, object, { name, at });
    }
  });
}

const prunedOf = ({ status }: Sandbox) => status?.backup?.pruned ?? [];

function keepPruned(
  kept: FollowBackupsOptions['kept'],
  { metadata: { namespace, name, uid } }: Sandbox,
  backup: { readonly name: string; readonly at: number },
): void {
  const about = { resource: SANDBOXES.kind, namespace, name, uid, reason: backup.name };
  const entry = { actor: OPERATOR, action: 'BackupPruned', outcome: 'allowed', ...about } as const;
  const digest = createHash('sha256').update(`${uid}/${backup.name}`).digest('hex').slice(0, 12);
  kept.keepOnce(entry, { note: 'A backup was deleted: enough newer ones are kept', at: backup.at, digest });
}
