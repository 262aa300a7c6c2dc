// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { TicketDesk } from '../../terminal/door/ticketDesk.ts';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';
import { carry } from '../files/forward.ts';
import type { FilesOptions } from '../files/forward.ts';
import { download, pack } from '../files/operations.ts';
import type { Call, Reply } from '../route.ts';
import { admitTo } from '../sandboxes/operations.ts';

export interface DownloadsOptions extends FilesOptions {
  readonly desk: Pick<TicketDesk, 'issue'>;
}

type Operations = Pick<Handlers, 'createDownloadTicket' | 'downloadByTicket'>;

/** Downloads by a link: what a browser stores as it comes, instead of a page that holds it until it is whole. */
export function downloadOperations(options: DownloadsOptions): Operations {
  return {
    createDownloadTicket: async (call) => {
      const { path, pathBase64, format } = call.body;
      const asked: Asked = {
        pathBase64: pathBase64 ?? Buffer.from(path ?? '').toString('base64url'),
        format,
      };
      if (asked.pathBase64 === '') {
        throw refusals.invalidFields([{ field: 'path', message: 'say which path is wanted' }]);
      }
      // Whoever clicks is told on the page what a link could only fail with.
      await lookAt(options, call, asked);
      const { sandbox, role } = await admitTo(options, call, 'readFiles');
      const about = { purpose: 'download', target: targetOf(asked) } as const;
      const { text: ticket, expiresAt } = options.desk.issue(call.principal, sandbox, role, about);
      const url = urlOf(sandbox.metadata, asked, ticket);
      return { status: 201, body: { url, expiresAt: new Date(expiresAt).toISOString() } };
    },
    downloadByTicket: (call) => redeem(options, call),
  };
}

interface Asked {
  readonly pathBase64: string;
  readonly format?: string | undefined;
}

/** A ticket is for one path: a hash of it, since the path itself may be longer than a URL should be. */
const targetOf = ({ pathBase64, format = '' }: Asked): string =>
  createHash('sha256').update(`${format}\n${pathBase64}`).digest('base64url');

function urlOf(
  { name = '', namespace = '' }: { name?: string; namespace?: string },
  { pathBase64, format }: Asked,
  ticket: string,
): string {
  const query = new URLSearchParams({ namespace, pathBase64, ...(format && { format }), ticket }).toString();
  return `/api/v1/sandboxes/${encodeURIComponent(name)}/download?${query}`;
}

/** Throws the 404 or 403 of what cannot be had, and a 400 for a folder that is asked for as a file. */
async function lookAt(options: FilesOptions, call: Call, { pathBase64, format }: Asked): Promise<void> {
  const path = `/files?depth=0&${new URLSearchParams({ pathBase64 }).toString()}`;
  const { answer } = await carry(options, call, { access: 'readFiles', method: 'GET', path });
  const { entry } = JSON.parse(await text(answer.stream)) as { entry?: { isDir?: boolean } };
  if (entry?.isDir === true && format === undefined) {
    throw refusals.invalidFields([
      { field: 'format', message: 'is needed for a folder: zip, tar or tar.gz' },
    ]);
  }
}

async function redeem(options: DownloadsOptions, call: Call): Promise<Reply> {
  const pathBase64 = call.query.get('pathBase64') ?? '';
  const format = call.query.get('format') ?? undefined;
  if (call.ticket?.target !== targetOf({ pathBase64, format })) {
    throw refusals.invalidTicket('this ticket is for something else');
  }
  if (format !== undefined) return pack(options, call);
  return download(options, { ...call, params: { ...call.params, path: encodedPath(pathBase64) } });
}

/** The path below `/files/`, byte by byte: names need not be text. */
const encodedPath = (pathBase64: string): string =>
  Array.from(Buffer.from(pathBase64, 'base64url'), (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9_.~/-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  })
    .join('')
    .replace(/^\//, '');
