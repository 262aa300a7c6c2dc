// SPDX-License-Identifier: Apache-2.0
import { refusals } from './errors.ts';

export interface Page<T> {
  readonly items: readonly T[];
  /** What the next page is asked for with; absent on the last one. */
  readonly continue?: string;
}

/**
 * The page of a list that `?limit=&continue=` ask for; the whole list without. `items` are in the order of `keyOf`, which
 * never changes for an item: the cursor holds the key of the last one shown, so what comes or goes meanwhile neither
 * repeats nor hides another item, and any replica can go on. Throws 400 for a cursor that is none of ours.
 */
export function pageOf<T>(items: readonly T[], query: URLSearchParams, keyOf: (item: T) => string): Page<T> {
  const after = cursorIn(query);
  const rest = after === undefined ? items : items.filter((item) => keyOf(item) > after);
  const limit = Number(query.get('limit')) || rest.length;
  const shown = rest.slice(0, limit);
  const last = shown.at(-1);
  return last === undefined || shown.length === rest.length
    ? { items: shown }
    : { items: shown, continue: cursorOf(keyOf(last)) };
}

/** Sorts as `pageOf` needs it. */
export const byKey =
  <T>(keyOf: (item: T) => string) =>
  (a: T, b: T): number => {
    const [first, second] = [keyOf(a), keyOf(b)];
    return first < second ? -1 : first > second ? 1 : 0;
  };

/** A later version may put something else in: the mark keeps it from being misread. */
const MARK = '1:';

const cursorOf = (key: string): string => Buffer.from(MARK + key).toString('base64url');

function cursorIn(query: URLSearchParams): string | undefined {
  const given = query.get('continue');
  if (!given) return undefined;
  const text = Buffer.from(given, 'base64url').toString();
  if (!text.startsWith(MARK)) throw refusals.badRequest('continue is not one that a list has given');
  return text.slice(MARK.length);
}
