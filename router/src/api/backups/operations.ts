// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import type { Sandbox } from '@agenttier/crds/generated/types';
import {
  ANNOTATION_BACKUP,
  ANNOTATION_BACKUP_CLASS,
  FIELD_MANAGER_ROUTER,
} from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { requestedBackupName } from '@agenttier/crds/sandbox/snapshots';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isConflict, isNotFound } from '@agenttier/machinery/kube/errors';
import { VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { SandboxAudit } from '../../audit.ts';
import { impersonationOf } from '../../auth/principal.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { SandboxFinder } from '../../cluster/finder.ts';
import type { Handlers } from '../contract.ts';
import { withVolume } from '../copies/operations.ts';
import { refusals } from '../errors.ts';
import { byKey, pageOf } from '../page.ts';
import type { Call, Reply } from '../route.ts';
import { findFor } from '../sandboxes/operations.ts';
import { backupNamed, backupsOf, backupView, newestFirst, openBackup, openView } from './snapshots.ts';
import type { Snapshot } from './snapshots.ts';

export interface BackupsOptions {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'patch' | 'delete'>;
  readonly stores: Pick<Stores, 'sandboxes'>;
  readonly finder: Pick<SandboxFinder, 'find' | 'reread'>;
  readonly audit: SandboxAudit;
}

type Operations = Pick<Handlers, 'listBackups' | 'createBackup' | 'deleteBackup'>;

/** Backups of a sandbox's volume. They are asked for by an annotation, as with kubectl; the operator makes them. */
export function backupOperations(options: BackupsOptions): Operations {
  return {
    listBackups: (call) => list(options, call),
    createBackup: (call) => create(options, call),
    deleteBackup: (call) => remove(options, call),
  };
}

const orderOf = ({ order }: { readonly order: string }): string => order;

async function list(options: BackupsOptions, call: Call): Promise<Reply> {
  const sandbox = await findFor(options, call, 'clone');
  const snapshots = (await backupsOf(options.client, call, sandbox)) ?? [];
  const coming = openBackup(sandbox);
  const begun = snapshots.some(({ metadata }) => metadata.name === coming);
  const open = coming === undefined || begun ? [] : [{ order: '', view: openView(coming) }];
  const cut = snapshots.map((one) => ({ order: newestFirst(one), view: backupView(one) }));
  const { items, ...rest } = pageOf([...open, ...cut.sort(byKey(orderOf))], call.query, orderOf);
  return { status: 200, body: { backups: items.map(({ view }) => view), ...rest } };
}

const TRIES = 20;

/**
 * Each value of the annotation asks for one backup, and the operator acts on the one that it finds: to overwrite a wish that
 * is not begun would lose it. So who comes while one waits is given that one, which will hold all that is there now; and
 * the version that was read goes with the write, so of two who come at once neither overwrites the other.
 */
async function create(options: BackupsOptions, call: Call<{ snapshotClass?: string }>): Promise<Reply> {
  const { client, finder } = options;
  let sandbox = withVolume(await findFor(options, call, 'backup'));
  for (let tries = 1; ; tries++) {
    const snapshots = await backupsOf(client, call, sandbox);
    if (snapshots === undefined) throw refusals.snapshotsUnavailable();
    const coming = openBackup(sandbox);
    if (coming !== undefined && isToCome(coming, snapshots)) return { status: 201, body: openView(coming) };
    try {
      return await ask(options, call, sandbox);
    } catch (error) {
      if (!isConflict(error) || tries === TRIES) throw error;
      sandbox = await finder.reread(sandbox);
    }
  }
}

/** Read from the API server a moment ago: what is not there is cut after this, and holds what is there now. */
const isToCome = (name: string, snapshots: readonly Snapshot[]): boolean =>
  !snapshots.some(({ metadata }) => metadata.name === name);

async function ask(
  { client, stores, audit }: BackupsOptions,
  call: Call<{ snapshotClass?: string }>,
  sandbox: Sandbox,
): Promise<Reply> {
  const { namespace, name = '', uid = '', resourceVersion } = sandbox.metadata;
  const request = randomUUID();
  const annotations = {
    [ANNOTATION_BACKUP]: request,
    [ANNOTATION_BACKUP_CLASS]: call.body.snapshotClass || null,
  };
  const { principal, signal, sourceIp } = call;
  const written = await client.patch<Sandbox & KubeObject>(
    SANDBOXES,
    { namespace, name },
    { type: 'merge', body: { metadata: { uid, resourceVersion, annotations } } },
    { impersonate: impersonationOf(principal), fieldManager: FIELD_MANAGER_ROUTER, signal },
  );
  stores.sandboxes.applyLocal(written);
  const backup = requestedBackupName({ name, uid }, request);
  const note = `Backup ${backup} was asked for`;
  audit(written, { action: 'BackupRequested', principal, note, reason: backup, sourceIp });
  return { status: 201, body: openView(backup) };
}

async function remove(options: BackupsOptions, call: Call): Promise<Reply> {
  const name = call.params['snapshot'] ?? '';
  const sandbox = await findFor(options, call, 'backup');
  const { metadata } = await backupNamed(options.client, call, sandbox, name);
  const { namespace, uid } = metadata;
  const { principal, signal, sourceIp } = call;
  try {
    // The uid keeps a snapshot that was made anew under this name meanwhile.
    await options.client.delete(
      VOLUME_SNAPSHOTS,
      { namespace, name },
      {
        ...(uid === undefined ? {} : { preconditions: { uid } }),
        impersonate: impersonationOf(principal),
        signal,
      },
    );
  } catch (error) {
    if (isNotFound(error)) throw refusals.backupNotFound(name);
    throw error;
  }
  const note = `Backup ${name} was deleted`;
  options.audit(sandbox, { action: 'BackupDeleted', principal, note, reason: name, sourceIp });
  return { status: 200, body: { status: 'deleted', name } };
}
