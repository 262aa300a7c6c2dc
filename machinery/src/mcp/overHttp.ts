// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { pipeline } from 'node:stream/promises';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { type ServerIdentity, type ToolSource, toolServer } from './toolServer.ts';

/** The largest message: a file that is written in one call, in base64. */
export const MESSAGE_LIMIT = 16 * 1024 * 1024;

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly identity: ServerIdentity;
  readonly source: ToolSource;
  readonly onError: (error: Error) => void;
}

/**
 * Serves one HTTP request of the streamable transport. Nothing is kept between requests, so any replica may serve the next
 * one; GET and DELETE, which belong to sessions, are answered with 405 as the specification has it.
 */
export async function serveExchange(exchange: Exchange): Promise<void> {
  const { request, response, identity, source, onError } = exchange;
  const handler = createMcpHandler(() => toolServer(identity, source), {
    onerror: onError,
    maxRequestBodySize: MESSAGE_LIMIT,
  });
  // The pipeline listens several times for the end, on top of whoever logs, counts and traces the request.
  response.setMaxListeners(30);
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new Error('the client went away'));
  });
  try {
    const answer = await handler.fetch(webRequest(request, gone.signal));
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.flushHeaders();
    if (answer.body === null) response.end();
    else await pipeline(Readable.fromWeb(answer.body), response);
  } catch (error) {
    // Nobody is left to be told.
    if (!gone.signal.aborted) throw error;
  } finally {
    await handler.close();
  }
}

/** The URL is of no account here, and a Host header of a stranger's making must not decide what it parses to. */
function webRequest(request: IncomingMessage, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    for (const one of [value].flat())
      if (one !== undefined && !name.startsWith(':')) headers.append(name, one);
  }
  const method = request.method ?? 'GET';
  const withBody = method !== 'GET' && method !== 'HEAD';
  return new Request('http://server/mcp', {
    method,
    headers,
    signal,
    ...(withBody ? { body: Readable.toWeb(request) as ReadableStream<Uint8Array>, duplex: 'half' } : {}),
  });
}
