// SPDX-License-Identifier: Apache-2.0
import type { RequestHandler } from 'express';

/**
 * Keeps the rest of a path, which a route takes with `*name`, as it was sent. Express decodes parameters and refuses what
 * does not decode to UTF-8, but a file may have any bytes for a name, and what is passed on must not be decoded twice.
 */
export function keepEncoded(paths: readonly string[]): RequestHandler {
  const heads = paths.filter((path) => path.includes('/*')).map(headOf);
  return (request, _response, next) => {
    const head = heads.map((pattern) => pattern.exec(request.url)?.[0]).find((match) => match !== undefined);
    if (head !== undefined) {
      const at = request.url.indexOf('?');
      const end = at === -1 ? request.url.length : at;
      const rest = request.url.slice(head.length, end).replaceAll('%', '%25');
      request.url = head + rest + request.url.slice(end);
    }
    next();
  };
}

/** Matches what stands before the rest: `/sandboxes/:id/files/*path` up to the last of these slashes. */
function headOf(path: string): RegExp {
  const before = path.slice(0, path.indexOf('*'));
  const parts = before.split('/').map((part) => (part.startsWith(':') ? '[^/?]+' : part));
  return new RegExp(`^${parts.join('/')}`);
}
