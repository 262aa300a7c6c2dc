// SPDX-License-Identifier: Apache-2.0

const SUGGESTIONS = 5;

/** Edit distance with adjacent transpositions (optimal string alignment): the slips people make when typing. */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      current.push(cell({ a, b, i, j }, current, previous, beforePrevious));
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

interface Position {
  readonly a: string;
  readonly b: string;
  readonly i: number;
  readonly j: number;
}

function cell(at: Position, current: number[], previous: number[], beforePrevious: number[]): number {
  const { a, b, i, j } = at;
  const same = a[i - 1] === b[j - 1];
  const best = Math.min(
    (previous[j] ?? 0) + 1,
    (current[j - 1] ?? 0) + 1,
    (previous[j - 1] ?? 0) + (same ? 0 : 1),
  );
  const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
  return swapped ? Math.min(best, (beforePrevious[j - 2] ?? 0) + 1) : best;
}

function closeness(wanted: string, candidate: string): number {
  const contained = candidate.includes(wanted) || wanted.includes(candidate);
  return contained ? 0.5 : editDistance(wanted, candidate);
}

/**
 * Up to five existing names that `wanted` may have been meant to be, nearest first. A name counts as near when about
 * a third of it would have to change, or when one contains the other.
 */
export function nearNames(wanted: string, existing: Iterable<string>): string[] {
  const limit = Math.max(2, Math.floor(wanted.length / 3));
  return [...new Set(existing)]
    .map((name) => ({ name, distance: closeness(wanted, name) }))
    .filter(({ distance }) => distance <= limit)
    .sort((x, y) => x.distance - y.distance || (x.name < y.name ? -1 : 1))
    .slice(0, SUGGESTIONS)
    .map(({ name }) => name);
}
