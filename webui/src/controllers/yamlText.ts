// SPDX-License-Identifier: Apache-2.0
import { isNode, parseDocument } from 'yaml';
import type { Document } from 'yaml';

/** Something wrong with a place in a text, in characters from its beginning. */
export interface TextProblem {
  readonly from: number;
  readonly to: number;
  readonly message: string;
}

export type Parsed =
  | { readonly ok: true; readonly value: Readonly<Record<string, unknown>>; readonly document: Document }
  | { readonly ok: false; readonly problems: readonly TextProblem[] };

/** The object that a text of YAML is, or where it is none. */
export function parseObject(text: string): Parsed {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ pos: [from, to], message }) => ({
      from,
      to: Math.max(from + 1, to),
      message,
    }));
    return { ok: false, problems };
  }
  const value: unknown = document.toJS() ?? {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return { ok: true, value: value as Readonly<Record<string, unknown>>, document };
  }
  return { ok: false, problems: [{ from: 0, to: text.length, message: 'This must be an object.' }] };
}

/** `spec.env[0].name` as `['env', 0, 'name']`: the text is what is inside the spec. */
export function pathIn(field: string): (string | number)[] {
  const parts = field.match(/[^.[\]]+/g) ?? [];
  return (parts[0] === 'spec' ? parts.slice(1) : parts).map((part) =>
    /^\d+$/.test(part) ? Number(part) : part,
  );
}

/** Where a field is in the text; where it is missing, the deepest part of its path that is there. */
export function placeOf(document: Document, field: string): { from: number; to: number } {
  const path = pathIn(field);
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range)
      return { from: node.range[0], to: Math.max(node.range[0] + 1, node.range[1]) };
  }
  return { from: 0, to: 1 };
}
