// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { SMALL_LIMIT, Text, WriteQuery } from '../schemas.ts';

const TAG = 'Copies';

const Name = Type.String({ description: 'made up when left out' });

/** What every answer about a new copy says. */
const Copied = {
  name: Text,
  namespace: Text,
  snapshot: Text,
  phase: Text,
  message: Text,
  warnings: Type.Optional(Type.Array(Text)),
};

export const copyRoutes = [
  {
    method: 'post',
    path: '/sandboxes/:id/clone',
    operation: 'cloneSandbox',
    tag: TAG,
    summary: 'Makes a sandbox like this one, with a copy of its data; admission has the say.',
    action: 'clone',
    query: WriteQuery,
    body: {
      schema: Type.Object({ name: Type.Optional(Name), snapshotClass: Type.Optional(Text) }),
      limit: SMALL_LIMIT,
      optional: true,
    },
    answers: { 202: Type.Object({ ...Copied, clonedFrom: Text }) },
  },
  {
    method: 'post',
    path: '/sandboxes/:id/backups/:snapshot/restore',
    operation: 'restoreBackup',
    tag: TAG,
    summary: 'Makes a sandbox like this one, with the data of a backup of it.',
    action: 'clone',
    query: WriteQuery,
    body: { schema: Type.Object({ name: Type.Optional(Name) }), limit: SMALL_LIMIT, optional: true },
    answers: { 202: Type.Object({ ...Copied, restoredFrom: Text }) },
  },
] as const satisfies readonly Route[];
