// SPDX-License-Identifier: Apache-2.0
import type { Quantity } from '@agenttier/crds/generated/types';
import {
  ANNOTATION_SNAPSHOT_OWNER,
  LABEL_OFFERED_SNAPSHOT,
  LABEL_SANDBOX_UID,
} from '@agenttier/crds/meta/labels';
import { compareQuantity, parseQuantity } from '@agenttier/crds/meta/quantity';
import type { Violation } from '@agenttier/crds/meta/violation';
import { mayAct } from '@agenttier/crds/sandbox/access';
import type { Actor } from '@agenttier/crds/sandbox/access';
import type { Origin, Snapshot } from './origins.ts';
import type { SpecifiedSandbox } from './specified.ts';

const CLONE = 'spec.cloneFrom';
const RESTORE = 'spec.cloneFromSnapshot';

export interface CopyCase {
  readonly sandbox: SpecifiedSandbox;
  readonly origin: Origin;
  readonly actor: Actor;
  /** Whether the person may read the VolumeSnapshot by the cluster's own rules. */
  readonly mayRead: (snapshot: string) => Promise<boolean>;
}

/** Whether the person may have the data that a new sandbox is to start with, and whether that can be made. */
export async function copyViolations(copy: CopyCase): Promise<Violation[]> {
  const field = copy.sandbox.spec.cloneFrom ? CLONE : RESTORE;
  if (!copy.origin.possible) return [unavailable(field)];
  return field === CLONE ? cloneViolations(copy) : restoreViolations(copy);
}

function unavailable(field: string): Violation {
  const message = `${field} needs VolumeSnapshots (snapshot.storage.k8s.io/v1), which the cluster does not have`;
  return { code: 'snapshots_unavailable', field, message };
}

function cloneViolations({ sandbox, origin, actor }: CopyCase): Violation[] {
  const { sandbox: name = '', uid } = sandbox.spec.cloneFrom ?? {};
  const source = origin.sandbox;
  const field = `${CLONE}.sandbox`;
  const gone = source === undefined || source.metadata.deletionTimestamp !== undefined;
  // Whoever may not see it learns nothing about it.
  if (gone || !mayAct(actor, source.spec ?? {}, 'read')) {
    const message = `${field} is ${name}, but there is no such sandbox of yours in this namespace`;
    return [{ code: 'source_not_found', field, message, actual: name }];
  }
  if (!mayAct(actor, source.spec ?? {}, 'clone')) {
    const message = `${field} is ${name}, which you may see but not copy: that is for its owner and collaborators`;
    return [{ code: 'snapshot_not_allowed', field, message, actual: name }];
  }
  const forged = uid !== source.metadata.uid;
  const message = 'is written by AgentTier; remove it from the manifest';
  return [
    ...(forged ? [{ code: 'resolved_forged', field: `${CLONE}.uid`, message } as const] : []),
    ...sizeViolations(sandbox, source),
  ];
}

function sizeViolations(sandbox: SpecifiedSandbox, source: NonNullable<Origin['sandbox']>): Violation[] {
  const asked = sandbox.spec.storage?.size;
  const { size } = source.spec?.resolved?.spec?.storage ?? {};
  if (asked === undefined || size === undefined || !isSmaller(asked, size)) return [];
  const field = 'spec.storage.size';
  const message = `${field} is ${asked}, but the volume of ${source.metadata.name} has ${size}: a copy is no smaller`;
  return [{ code: 'invalid_value', field, message, limit: String(size), actual: String(asked) }];
}

/** A size that cannot be read is the schema's business. */
const isSmaller = (size: Quantity, than: Quantity): boolean =>
  parseQuantity(size) !== undefined && (compareQuantity(size, than) ?? 0) < 0;

async function restoreViolations(copy: CopyCase): Promise<Violation[]> {
  const name = copy.sandbox.spec.cloneFromSnapshot ?? '';
  const { snapshot } = copy.origin;
  if (snapshot !== undefined && (await mayRestore(copy, snapshot))) return [];
  const message = `${RESTORE} is ${name}, but there is no such VolumeSnapshot in this namespace that you may start from`;
  return [{ code: 'snapshot_not_allowed', field: RESTORE, message, actual: name }];
}

/**
 * A snapshot is worth what its sandbox is worth: who may enter that may start from it. Of a sandbox that is gone its owner
 * is left, by what the operator wrote down. Others are for whoever may read them by the cluster's rules, or for everybody
 * where their label says so.
 */
async function mayRestore(copy: CopyCase, snapshot: Snapshot): Promise<boolean> {
  const { labels, name = '' } = snapshot.metadata;
  const { actor } = copy;
  if (labels?.[LABEL_OFFERED_SNAPSHOT] === 'true' || actor.admin || isOwn(copy, snapshot)) return true;
  return actor.ofCluster && copy.mayRead(name);
}

function isOwn({ origin: { owner }, actor }: CopyCase, { metadata }: Snapshot): boolean {
  const alive = owner !== undefined && metadata.labels?.[LABEL_SANDBOX_UID] === owner.metadata.uid;
  if (alive) return mayAct(actor, owner.spec ?? {}, 'clone');
  const sub = metadata.annotations?.[ANNOTATION_SNAPSHOT_OWNER] ?? '';
  return sub !== '' && sub === actor.sub;
}
