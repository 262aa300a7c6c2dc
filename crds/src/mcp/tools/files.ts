// SPDX-License-Identifier: Apache-2.0
import { choice, flag, inBody, inPath, inQuery, needed, ONE_SANDBOX, text, whole } from '../argument.ts';
import type { Argument, Tool } from '../tool.ts';

const FILE = inPath('path', text('absolute path of the file'));
const ENCODING: Argument = {
  schema: choice('how content is written; utf-8 when left out', 'utf-8', 'base64'),
  in: 'encoding',
  as: '',
};

export const FILE_TOOLS: readonly Tool[] = [
  {
    name: 'file_list',
    description: 'List a folder of a sandbox: names, sizes, kinds, times.',
    effect: 'read',
    method: 'GET',
    path: '/sandboxes/:id/files',
    arguments: {
      ...ONE_SANDBOX,
      path: inQuery('path', text('absolute path; the workspace when left out')),
      depth: inQuery('depth', whole('how many levels to list; 1 when left out', 1, 64)),
    },
    answer: 'json',
  },
  {
    name: 'file_read',
    description: 'Read a file of a sandbox, 4 MiB at most. What is no UTF-8 comes in base64.',
    effect: 'read',
    method: 'GET',
    path: '/sandboxes/:id/files/*path',
    arguments: { ...ONE_SANDBOX, path: FILE, encoding: ENCODING },
    answer: 'bytes',
  },
  {
    name: 'file_write',
    description:
      'Write a file of a sandbox as a whole; folders on the way are made. One that is there is replaced.',
    effect: 'destroy',
    idempotent: true,
    method: 'PUT',
    path: '/sandboxes/:id/files/*path',
    arguments: {
      ...ONE_SANDBOX,
      path: FILE,
      content: { schema: text('what to write'), in: 'raw', as: '', required: true },
      encoding: ENCODING,
      mode: inQuery('mode', text('permissions in octal, for instance "0755"')),
    },
    answer: 'json',
  },
  {
    name: 'file_make_folder',
    description: 'Make a folder in a sandbox.',
    effect: 'write',
    method: 'POST',
    path: '/sandboxes/:id/files',
    arguments: { ...ONE_SANDBOX, path: needed(inBody('path', text('absolute path of the folder'))) },
    fixed: { op: 'mkdir' },
    answer: 'json',
  },
  {
    name: 'file_move',
    description: 'Move or rename a file or a folder of a sandbox.',
    effect: 'destroy',
    method: 'POST',
    path: '/sandboxes/:id/files',
    arguments: {
      ...ONE_SANDBOX,
      path: needed(inBody('path', text('absolute path now'))),
      to: needed(inBody('to', text('absolute path afterwards'))),
      overwrite: inBody('overwrite', flag('replace a file that is there')),
    },
    fixed: { op: 'move' },
    answer: 'json',
  },
  {
    name: 'file_delete',
    description: 'Delete a file, a link or a folder of a sandbox.',
    effect: 'destroy',
    idempotent: true,
    method: 'DELETE',
    path: '/sandboxes/:id/files/*path',
    arguments: {
      ...ONE_SANDBOX,
      path: FILE,
      recursive: inQuery('recursive', flag('a folder with all that is in it')),
    },
    answer: 'nothing',
  },
  {
    name: 'file_archive',
    description: 'Read a folder of a sandbox as one archive, in base64, 4 MiB at most.',
    effect: 'read',
    method: 'GET',
    path: '/sandboxes/:id/archive',
    arguments: {
      ...ONE_SANDBOX,
      path: inQuery('path', text('absolute path; the workspace when left out')),
      format: inQuery('format', choice('zip when left out', 'zip', 'tar', 'tar.gz')),
    },
    answer: 'bytes',
  },
];
