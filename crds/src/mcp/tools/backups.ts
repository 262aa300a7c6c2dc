// SPDX-License-Identifier: Apache-2.0
import { inBody, inPath, ONE_SANDBOX, text } from '../argument.ts';
import type { Tool } from '../tool.ts';

const SNAPSHOT = inPath('snapshot', text('name of the backup, see backup_list'));

export const BACKUP_TOOLS: readonly Tool[] = [
  {
    name: 'backup_list',
    description: 'List the backups of a sandbox, the newest first.',
    effect: 'read',
    method: 'GET',
    path: '/sandboxes/:id/backups',
    arguments: ONE_SANDBOX,
    answer: 'json',
  },
  {
    name: 'backup_create',
    description: 'Ask for a backup of a sandbox; backup_list says when it is ready.',
    effect: 'write',
    method: 'POST',
    path: '/sandboxes/:id/backups',
    arguments: {
      ...ONE_SANDBOX,
      snapshot_class: inBody('snapshotClass', text('VolumeSnapshotClass to cut it with')),
    },
    answer: 'json',
  },
  {
    name: 'backup_restore',
    description: 'Make a new sandbox like this one, with the files of a backup.',
    effect: 'write',
    method: 'POST',
    path: '/sandboxes/:id/backups/:snapshot/restore',
    arguments: {
      ...ONE_SANDBOX,
      snapshot_name: SNAPSHOT,
      name: inBody('name', text('name of the new sandbox; made up when left out')),
    },
    answer: 'json',
  },
  {
    name: 'backup_delete',
    description: 'Delete a backup. This cannot be undone.',
    effect: 'destroy',
    idempotent: true,
    method: 'DELETE',
    path: '/sandboxes/:id/backups/:snapshot',
    arguments: { ...ONE_SANDBOX, snapshot_name: SNAPSHOT },
    answer: 'json',
  },
];
