// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { RequestHandler } from 'express';

const HEADER = 'X-Request-ID';
/** What a client may call its request: it is echoed and logged, so it must stay short and printable. */
const ACCEPTED = /^[A-Za-z0-9._:/+=-]{1,128}$/;

/** The client's own id where it is fit to be repeated, else a new one of 16 hex digits. */
export function requestIdFrom(header: string | undefined): string {
  return header !== undefined && ACCEPTED.test(header) ? header : randomBytes(8).toString('hex');
}

/** Gives every request an id, in `response.locals.requestId` and in the answer. */
export const requestId: RequestHandler = (request, response, next) => {
  const id = requestIdFrom(request.get(HEADER));
  response.locals['requestId'] = id;
  response.setHeader(HEADER, id);
  next();
};
