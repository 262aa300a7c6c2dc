// SPDX-License-Identifier: Apache-2.0
import { ITEM } from '@agenttier/crds/meta/fieldSchema';

/** Where something stands in a text of YAML. */
export interface Place {
  /** The steps to the object or list that it is in; `[]` is an item of a list. */
  readonly within: readonly string[];
  /** Of a value: the field that it is of. */
  readonly field: string | undefined;
  /** The word that has been begun, from `from` on. */
  readonly word: string;
  readonly from: number;
  /** Columns that a member of the same object is indented by. */
  readonly indent: number;
  /** Names that the object has already, the one of this line left out. */
  readonly siblings: ReadonlySet<string>;
}

/** A line of block style: dashes, a name, a value. */
interface Line {
  /** Columns of the dashes. */
  readonly dashes: readonly number[];
  /** Column of what follows the dashes. */
  readonly column: number;
  readonly name: string | undefined;
  readonly value: string;
  readonly empty: boolean;
}

const LINE = /^( *)((?:- +)*(?:-$)?)(?:("[^"]*"|'[^']*'|[^\s#'"{}[\],&*!|>%@`-][^:#]*?) *:(?: +(.*)|$))?/;

function lineOf(text: string): Line {
  const [, blanks = '', marks = '', name, value = ''] = LINE.exec(text) ?? [];
  const dashes = [...marks.matchAll(/-/g)].map(({ index }) => blanks.length + index);
  return {
    dashes,
    column: blanks.length + marks.length,
    name: name?.replaceAll(/^["']|["']$/g, ''),
    value: value.trim(),
    empty: /^\s*(#|$)/.test(text),
  };
}

/**
 * Where a position is, told by indentation alone: while one types, a text is hardly ever whole YAML. Undefined in
 * comments, in texts over several lines and in flow style.
 */
export function placeAt(text: string, position: number): Place | undefined {
  const before = text.slice(0, position).split('\n');
  const at = before.length - 1;
  const typed = before[at] ?? '';
  if (/(^|\s)#/.test(typed)) return undefined;
  const lines = text.split('\n').map(lineOf);
  const line = lineOf(typed);
  const within = stepsTo(lines, at, line);
  if (within === undefined) return undefined;
  const rest = line.name === undefined ? typed.slice(line.column) : line.value;
  const [word = ''] = /[^\s:]*$/.exec(rest) ?? [];
  // Several words are no name, and neither name nor value begins like a flow, an alias or a text over several lines.
  if (rest !== word || /^[{[&*!|>]/.test(rest)) return undefined;
  return {
    within,
    field: line.name,
    word,
    from: position - word.length,
    indent: line.column,
    siblings: namesBeside(lines, at, line),
  };
}

/** The name under a position, with the steps to it; undefined where there is none. */
export function nameAt(
  text: string,
  position: number,
): { readonly steps: readonly string[]; readonly from: number; readonly to: number } | undefined {
  const start = text.lastIndexOf('\n', position - 1) + 1;
  const end = text.indexOf('\n', start);
  const line = lineOf(text.slice(start, end < 0 ? undefined : end));
  const from = start + line.column;
  if (line.name === undefined || line.empty || position < from) return undefined;
  const lines = text.split('\n').map(lineOf);
  const within = stepsTo(lines, text.slice(0, start).split('\n').length - 1, line);
  if (within === undefined) return undefined;
  return { steps: [...within, line.name], from, to: from + line.name.length };
}

function stepsTo(lines: readonly Line[], at: number, line: Line): string[] | undefined {
  const climb = new Climb(line.column);
  climb.items(line.dashes);
  for (let above = at - 1; above >= 0 && !climb.done; above--) {
    const other = lines[above];
    if (other === undefined || other.empty) continue;
    if (!climb.past(other)) return undefined;
  }
  return climb.steps;
}

/** Goes up the lines of a text, out of one object after the other. */
class Climb {
  readonly steps: string[] = [];
  #column: number;
  /** The last step is an item: its list may stand in the same column as its dashes. */
  #item = false;

  constructor(column: number) {
    this.#column = column;
  }

  get done(): boolean {
    return this.#column === 0 && !this.#item;
  }

  items(dashes: readonly number[]): void {
    for (const dash of dashes.toReversed()) {
      if (dash >= this.#column) continue;
      this.steps.unshift(ITEM);
      this.#column = dash;
      this.#item = true;
    }
  }

  /** False in a text over several lines, which is no YAML itself. */
  past(line: Line): boolean {
    const { column, name, value } = line;
    const holds = column < this.#column || (this.#item && column === this.#column && !line.dashes.length);
    if (name !== undefined && holds) {
      if (/^[|>]/.test(value)) return false;
      this.steps.unshift(name);
      this.#column = column;
      this.#item = false;
    }
    this.items(line.dashes);
    return true;
  }
}

function namesBeside(lines: readonly Line[], at: number, { column, dashes }: Line): Set<string> {
  const names = new Set<string>();
  const look = (step: 1 | -1): void => {
    for (let other = at + step; ; other += step) {
      const line = lines[other];
      if (line === undefined) return;
      if (line.empty || line.column > column) continue;
      // A dash begins another item below; above, it is the one that begins this item.
      const begins = line.dashes.some((dash) => dash < column);
      if (line.column < column || (begins && step === 1)) return;
      if (line.name !== undefined) names.add(line.name);
      if (begins) return;
    }
  };
  if (dashes.length === 0) look(-1);
  look(1);
  return names;
}
