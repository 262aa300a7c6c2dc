// SPDX-License-Identifier: Apache-2.0
import { LABEL_CLONED_FROM, LABEL_RESTORED_FROM } from '@agenttier/crds/meta/labels';
import { cloneSnapshotName } from '@agenttier/crds/sandbox/snapshots';
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { SandboxAudit } from '../../audit.ts';
import type { SandboxFinder } from '../../cluster/finder.ts';
import { backupNamed } from '../backups/snapshots.ts';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';
import type { Call, Reply } from '../route.ts';
import { findFor } from '../sandboxes/operations.ts';
import { isDryRun } from '../write.ts';
import { createCopy } from './copy.ts';
import type { Copied, Copier } from './copy.ts';

export interface CopiesOptions extends Copier {
  readonly client: Pick<KubeClient, 'create' | 'list'>;
  readonly finder: Pick<SandboxFinder, 'find'>;
  readonly audit: SandboxAudit;
}

/** Sandboxes made of another one's data. The operator cuts the snapshot, with the programs of the source held. */
export function copyOperations(options: CopiesOptions): Pick<Handlers, 'cloneSandbox' | 'restoreBackup'> {
  return {
    cloneSandbox: (call) => clone(options, call),
    restoreBackup: (call) => restore(options, call),
  };
}

async function clone(
  options: CopiesOptions,
  call: Call<{ name?: string; snapshotClass?: string }>,
): Promise<Reply> {
  const source = withVolume(await findFor(options, call, 'clone'));
  const { name: from = '' } = source.metadata;
  const { name, snapshotClass } = call.body;
  const data = { cloneFrom: { sandbox: from, ...(snapshotClass ? { snapshotClass } : {}) } };
  const labels = { [LABEL_CLONED_FROM]: from };
  const copied = await createCopy(options, call, { source, data, name, word: 'clone', labels });
  const { sandbox } = copied;
  tell(options, call, source, sandbox);
  const snapshot = cloneSnapshotName({ name: nameOf(sandbox), uid: sandbox.metadata.uid ?? '' });
  return reply(copied, { snapshot, clonedFrom: from, message: `the volume of ${from} is being copied` });
}

async function restore(options: CopiesOptions, call: Call<{ name?: string }>): Promise<Reply> {
  const source = await findFor(options, call, 'clone');
  const { name: from = '' } = source.metadata;
  const { metadata } = await backupNamed(options.client, call, source, call.params['snapshot'] ?? '');
  const { name: snapshot = '' } = metadata;
  if (metadata.deletionTimestamp !== undefined)
    throw refusals.wrongPhase(`backup ${snapshot} is being deleted`);
  const data = { cloneFromSnapshot: snapshot };
  const labels = { [LABEL_RESTORED_FROM]: from };
  const { name } = call.body;
  const copied = await createCopy(options, call, { source, data, name, word: 'restore', labels });
  tell(options, call, source, copied.sandbox);
  return reply(copied, {
    snapshot,
    restoredFrom: from,
    message: `the volume is being made from ${snapshot}`,
  });
}

/** A sandbox that has never started has nothing that could be copied. */
export function withVolume(sandbox: Sandbox): Sandbox {
  if (sandbox.status?.pvcName) return sandbox;
  throw refusals.badRequest(`sandbox ${nameOf(sandbox)} has no volume yet: wait until it has started once`);
}

const nameOf = ({ metadata }: Sandbox): string => metadata.name ?? '';

/** `Pending` is not a phase; clients of old wait for that word to change. */
function reply({ sandbox, warnings }: Copied, more: object): Reply {
  const { name = '', namespace = '' } = sandbox.metadata;
  const said = warnings.length > 0 ? { warnings } : {};
  return { status: 202, body: { name, namespace, phase: 'Pending', ...more, ...said } };
}

function tell({ audit }: CopiesOptions, call: Call, source: Sandbox, copy: Sandbox): void {
  if (isDryRun(call)) return;
  const { principal, sourceIp } = call;
  const note = `Copied to sandbox ${nameOf(copy)}`;
  audit(source, { action: 'SandboxCopied', principal, note, reason: nameOf(copy), sourceIp });
}
