// SPDX-License-Identifier: Apache-2.0
import type { RequestHandler } from 'express';

/** A path without doubled slashes and dot segments. Encoded ones stay: they belong to a name, not to the path. */
export function cleanedPath(path: string): string {
  const clean: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') clean.pop();
    else clean.push(segment);
  }
  return `/${clean.join('/')}`;
}

/** Routes untidy paths without a redirect: common clients do not follow one. */
export const cleanPath: RequestHandler = (request, _response, next) => {
  const at = request.url.indexOf('?');
  const path = at === -1 ? request.url : request.url.slice(0, at);
  if (path.includes('//') || path.includes('/.')) {
    request.url = cleanedPath(path) + (at === -1 ? '' : request.url.slice(at));
  }
  next();
};
