// SPDX-License-Identifier: Apache-2.0
import type { RequestHandler } from 'express';
import { refusals } from '../api/errors.ts';

/** Nothing that the contract knows comes near it. */
const MAX_DEPTH = 64;

/**
 * Refuses bodies that are nested without end. They parse, but whatever walks them by recursion, as JSON.stringify does, runs
 * out of stack: a fault of ours for a mistake of theirs.
 */
export const shallowBody: RequestHandler = (request, _response, next) => {
  if (isDeeper(request.body as unknown, MAX_DEPTH)) throw refusals.tooDeep(MAX_DEPTH);
  next();
};

/** Level by level, hence without a stack of its own. */
export function isDeeper(value: unknown, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level
      .filter((one): one is object => typeof one === 'object' && one !== null)
      .flatMap((one) => Object.values(one));
  }
  return false;
}
