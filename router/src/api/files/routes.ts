// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox';
import type { Route } from '../route.ts';
import { NamespaceQuery, SMALL_LIMIT, Text } from '../schemas.ts';

const Base64Path = Type.Optional(
  Type.String({ description: 'the path as base64url, for names that are no UTF-8' }),
);
const Folder = Type.Optional(Type.String({ description: 'an absolute path; the workspace when absent' }));

const Entry = Type.Object(
  {
    name: Text,
    nameBase64: Type.Optional(Type.String({ description: 'the name in base64url where it is no UTF-8' })),
    path: Type.Optional(Type.String({ description: 'below the listed folder; only with a depth above 1' })),
    pathBase64: Type.Optional(Text),
    type: Type.String({ description: 'file, dir, symlink, fifo, socket or device' }),
    size: Type.Integer(),
    isDir: Type.Boolean({ description: 'false for a link, whatever it leads to' }),
    mode: Type.String({ description: 'as `ls -l` shows it' }),
    permissions: Type.String({ description: 'octal, such as 0644' }),
    modifiedAt: Type.Integer({ description: 'seconds since 1970' }),
    target: Type.Optional(Type.String({ description: 'where a link leads' })),
    targetBase64: Type.Optional(Text),
    etag: Type.Optional(Text),
  },
  { title: 'FileEntry' },
);

const Placed = Type.Object({ path: Text, entry: Entry }, { title: 'FilePlace' });

const Listing = Type.Object(
  {
    path: Text,
    entries: Type.Array(Entry),
    continue: Type.Optional(Text),
  },
  { title: 'FileListing' },
);

const Written = Type.Object(
  { path: Text, bytes: Type.Integer(), etag: Text, created: Type.Boolean() },
  { title: 'FileWritten' },
);

const Received = Type.Object(
  {
    path: Text,
    received: Type.Integer({ description: 'bytes that are there: go on from this offset' }),
    total: Type.Integer(),
  },
  { title: 'FileReceived' },
);

const Unpacked = Type.Object(
  {
    path: Text,
    files: Type.Integer(),
    bytes: Type.Integer(),
    skipped: Type.Integer({ description: 'pipes, sockets and devices, which are left out' }),
  },
  { title: 'ArchiveUnpacked' },
);

const Change = Type.Object(
  {
    op: Type.String({ description: 'mkdir, move, copy or chmod' }),
    path: Type.Optional(Text),
    pathBase64: Base64Path,
    to: Type.Optional(Type.String({ description: 'the new path itself; for move and copy' })),
    toBase64: Base64Path,
    mode: Type.Optional(Type.String({ description: 'octal, 0000 to 0777; for mkdir and chmod' })),
    overwrite: Type.Optional(Type.Boolean({ description: 'replace a file that is at `to`' })),
  },
  { title: 'FileChange' },
);

const Flag = Type.Optional(Type.Boolean());
const Mode = Type.Optional(Type.String({ description: 'octal; kept, or 0644, when absent' }));

const { namespace } = NamespaceQuery.properties;
const PathQuery = Type.Object({ namespace, path: Folder, pathBase64: Base64Path });

export const fileRoutes = [
  {
    method: 'get',
    path: '/sandboxes/:id/files',
    operation: 'listFiles',
    tag: 'Files',
    summary: 'Lists a folder of the sandbox.',
    action: 'readFiles',
    query: Type.Object({
      ...PathQuery.properties,
      depth: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, description: '1 when absent' })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
      continue: Type.Optional(Type.String({ description: 'the `continue` of the page before' })),
    }),
    answers: { 200: Listing },
  },
  {
    method: 'post',
    path: '/sandboxes/:id/files',
    operation: 'changeFiles',
    tag: 'Files',
    summary: 'Makes a folder, moves, copies, or changes permissions.',
    action: 'writeFiles',
    query: NamespaceQuery,
    body: { schema: Change, limit: SMALL_LIMIT },
    answers: { 200: Placed, 201: Placed },
  },
  {
    method: 'get',
    path: '/sandboxes/:id/stat',
    operation: 'statFile',
    tag: 'Files',
    summary: 'Tells about one path, without following a link at its end.',
    action: 'readFiles',
    query: PathQuery,
    answers: { 200: Placed },
  },
  {
    method: 'get',
    path: '/sandboxes/:id/files/*path',
    operation: 'readFile',
    tag: 'Files',
    summary: 'Downloads a file, or a range of it.',
    action: 'readFiles',
    query: NamespaceQuery,
    answers: { 200: 'bytes', 206: 'bytes' },
  },
  {
    method: 'put',
    path: '/sandboxes/:id/files/*path',
    operation: 'writeFile',
    tag: 'Files',
    summary: 'Uploads a file, as a whole or not at all.',
    action: 'writeFiles',
    query: Type.Object({ namespace, mode: Mode }),
    body: 'raw',
    ifMatch: true,
    answers: { 201: Written },
  },
  {
    method: 'patch',
    path: '/sandboxes/:id/files/*path',
    operation: 'continueFile',
    tag: 'Files',
    summary: 'Uploads a piece of a file, as Content-Range says, or asks how much has come.',
    action: 'writeFiles',
    query: Type.Object({
      namespace,
      mode: Mode,
      upload: Type.String({ pattern: '^[A-Za-z0-9_-]{1,32}$', description: 'your name for this upload' }),
    }),
    body: 'raw',
    ifMatch: true,
    answers: { 201: Written, 202: Received },
  },
  {
    method: 'delete',
    path: '/sandboxes/:id/files/*path',
    operation: 'deleteFile',
    tag: 'Files',
    summary: 'Deletes a file, a link or a folder, or discards an upload that is not complete.',
    action: 'writeFiles',
    query: Type.Object({ namespace, recursive: Flag, upload: Type.Optional(Text) }),
    ifMatch: true,
    answers: { 204: 'nothing' },
  },
  {
    method: 'get',
    path: '/sandboxes/:id/archive',
    operation: 'downloadArchive',
    tag: 'Files',
    summary: 'Downloads a folder as zip, tar or tar.gz.',
    action: 'readFiles',
    query: Type.Object({
      ...PathQuery.properties,
      format: Type.Optional(Type.String({ description: 'zip (when absent), tar or tar.gz' })),
      skipUnreadable: Flag,
    }),
    answers: { 200: 'bytes' },
  },
  {
    method: 'put',
    path: '/sandboxes/:id/archive',
    operation: 'uploadArchive',
    tag: 'Files',
    summary: 'Unpacks a zip, tar or tar.gz into a folder.',
    action: 'writeFiles',
    query: Type.Object({
      ...PathQuery.properties,
      format: Type.Optional(
        Type.String({ description: 'zip, tar or tar.gz; told from the bytes when absent' }),
      ),
    }),
    body: 'raw',
    answers: { 200: Unpacked },
  },
] as const satisfies readonly Route[];
