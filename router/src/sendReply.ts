// SPDX-License-Identifier: Apache-2.0
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { namesTag, tagOfContent } from './api/entityTag.ts';
import type { Reply } from './api/route.ts';

/** A pipeline alone listens seven times for the end, beside whoever logs, counts and traces: no leak, but above the default. */
const MAX_LISTENERS = 30;

/**
 * Sends what a handler answered. JSON that a GET gives carries an ETag, so that whoever asks again and again is told 304
 * as long as nothing has changed.
 */
export async function sendReply(reply: Reply, request: Request, response: Response): Promise<void> {
  response.status(reply.status).set('Cache-Control', 'no-store');
  if (reply.headers) response.set(reply.headers);
  if (reply.cookies) response.set('Set-Cookie', [...reply.cookies]);
  if (reply.stream) {
    // The first byte may be long in coming; that it will come is known now.
    response.flushHeaders();
    response.setMaxListeners(MAX_LISTENERS);
    await pipeline(reply.stream, response);
    return;
  }
  if (reply.body === undefined && reply.json === undefined) response.end();
  else if (request.method === 'GET' || request.method === 'HEAD') sendTagged(reply, request, response);
  else sendJson(textOf(reply), response);
}

function sendTagged(reply: Reply, request: Request, response: Response): void {
  const given = reply.etag ?? response.get('ETag');
  const known = given === undefined ? textOf(reply) : undefined;
  const etag = given ?? tagOfContent(known ?? '');
  // To be kept, but asked about before each use: it is one person's.
  response.set({ ETag: etag, 'Cache-Control': 'private, no-cache' });
  if (namesTag(request.get('If-None-Match'), etag)) response.status(304).end();
  else sendJson(known ?? textOf(reply), response);
}

const textOf = ({ json, body }: Reply): string => json?.() ?? JSON.stringify(body);

function sendJson(text: string, response: Response): void {
  response.set('Content-Type', 'application/json; charset=utf-8');
  response.set('Content-Length', String(Buffer.byteLength(text)));
  response.end(text);
}
