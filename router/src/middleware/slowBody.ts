// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';

/** A body of JSON that takes longer is somebody who holds connections. */
const WHOLE_MS = 60_000;
const LOOK_MS = 15_000;
/** What an upload must bring between two looks, to be one. */
const LEAST_BYTES = 1024;

export interface SlowBodyOptions {
  readonly wholeMs?: number;
  readonly lookMs?: number;
}

/** What the request is known to be by now. */
type IsUpload = () => boolean;

/**
 * Ends connections whose request does not come to its end. node:http can only bound the time of a whole request, which
 * for an upload of gigabytes has no sensible value: those must go on coming instead, except while it is us who cannot
 * take more. The handler of a route with a raw body says so in `response.locals`.
 */
export function slowBody(options: SlowBodyOptions = {}): RequestHandler {
  return (request, response, next) => {
    endIfSlow(request, () => response.locals['rawBody'] === true, options);
    next();
  };
}

/** The same for one request that is served by something else. */
export function endIfSlow(
  request: IncomingMessage,
  isUpload: IsUpload,
  { wholeMs = WHOLE_MS, lookMs = LOOK_MS }: SlowBodyOptions = {},
): void {
  if (!hasBody(request)) return;
  let looks = 0;
  let seen = request.socket.bytesRead;
  const timer = setInterval(() => {
    if (request.complete || request.socket.destroyed) return clearInterval(timer);
    const came = request.socket.bytesRead - seen;
    seen += came;
    looks++;
    const slow = isUpload() ? came < LEAST_BYTES && !isFull(request) : looks * lookMs >= wholeMs;
    if (slow) request.socket.destroy();
  }, lookMs);
  timer.unref();
  // Not at its close: that of a request which was answered early comes while bytes may still trickle in.
  request.once('end', () => clearInterval(timer));
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** The pod takes less than the client sends. */
const isFull = (request: IncomingMessage): boolean => request.readableLength >= request.readableHighWaterMark;
