// SPDX-License-Identifier: Apache-2.0
import type { RequestHandler } from 'express';

const METHODS = 'GET, POST, PUT, PATCH, DELETE, OPTIONS';
const HEADERS =
  'Authorization, Content-Range, Content-Type, X-API-Key, X-Request-ID, If-Match, If-None-Match, Last-Event-ID, MCP-Protocol-Version';
const EXPOSED = 'X-Request-ID, X-AgentTier-Transport, Retry-After, ETag';
const DAY_SECONDS = '86400';

/** Lets pages of the listed origins call us. Origins match exactly; there is no wildcard. */
export function cors(origins: readonly string[]): RequestHandler {
  return (request, response, next) => {
    const origin = request.get('Origin');
    const allowed = origin !== undefined && origins.includes(origin);
    if (origins.length > 0) response.vary('Origin');
    if (allowed) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader('Access-Control-Expose-Headers', EXPOSED);
    }
    if (request.method !== 'OPTIONS') {
      next();
      return;
    }
    if (allowed) {
      response.setHeader('Access-Control-Allow-Methods', METHODS);
      response.setHeader('Access-Control-Allow-Headers', HEADERS);
      response.setHeader('Access-Control-Max-Age', DAY_SECONDS);
    }
    if (origin === undefined || allowed) response.status(204).end();
    else response.status(403).json({ error: 'origin_not_allowed' });
  };
}
