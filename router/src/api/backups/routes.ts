// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { Continue, NamespaceQuery, pageQuery, SMALL_LIMIT, Text, Timestamp } from '../schemas.ts';

const TAG = 'Backups';

const Backup = Type.Object({
  name: Text,
  createdAt: Type.Optional(Timestamp),
  kind: Type.String({ description: 'scheduled-backup, backup or on-stop' }),
  readyToUse: Type.Boolean(),
  restoreSize: Type.Optional(Text),
  quiesced: Type.Boolean({ description: 'whether programs stood still for it' }),
  error: Type.Optional(Text),
});

export const backupRoutes = [
  {
    method: 'get',
    path: '/sandboxes/:id/backups',
    operation: 'listBackups',
    tag: TAG,
    summary: "Lists the snapshots of a sandbox's volume, the newest first.",
    action: 'clone',
    query: pageQuery({ namespace: Type.Optional(Text) }),
    answers: { 200: Type.Object({ backups: Type.Array(Backup), continue: Continue }) },
  },
  {
    method: 'post',
    path: '/sandboxes/:id/backups',
    operation: 'createBackup',
    tag: TAG,
    summary: 'Asks for a backup; it is there when readyToUse is true.',
    action: 'backup',
    query: NamespaceQuery,
    body: {
      schema: Type.Object({ snapshotClass: Type.Optional(Text) }),
      limit: SMALL_LIMIT,
      optional: true,
    },
    answers: { 201: Backup },
  },
  {
    method: 'delete',
    path: '/sandboxes/:id/backups/:snapshot',
    operation: 'deleteBackup',
    tag: TAG,
    summary: 'Deletes one of them.',
    action: 'backup',
    query: NamespaceQuery,
    answers: { 200: Type.Object({ status: Type.Literal('deleted'), name: Text }) },
  },
] as const satisfies readonly Route[];
