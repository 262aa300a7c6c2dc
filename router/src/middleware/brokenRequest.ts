// SPDX-License-Identifier: Apache-2.0
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What Node's parser refuses before there is a request, by its error code. */
const REFUSED: Readonly<Record<string, readonly [status: number, error: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the headers are larger than 16 KiB'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come in time'],
};
const MALFORMED = [400, 'the request is not valid HTTP'] as const;

/**
 * Answers in JSON to what is no request: clients read every answer that is no success so. A connection on which another
 * answer is under way is only cut, since a second one in the middle of it would be taken for a part of it.
 */
export function answerBrokenRequests(server: Server): void {
  const latest = new WeakMap<object, ServerResponse>();
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    latest.set(socket, response);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const isAnswering = latest.get(socket)?.writableFinished === false;
    if (!socket.writable || error.code === 'ECONNRESET' || isAnswering) socket.destroy();
    else socket.end(answerTo(error.code ?? ''));
  });
}

function answerTo(code: string): string {
  const [status, error] = REFUSED[code] ?? MALFORMED;
  const body = JSON.stringify({ error });
  const headers = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  return `${headers.join('\r\n')}\r\n\r\n${body}`;
}
