// SPDX-License-Identifier: Apache-2.0

/** One step of a path. Numbers are list positions; a negative one counts from the end, as in kubectl. */
export type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'recursive' }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'slice'; readonly from?: number; readonly to?: number; readonly by: number }
  | { readonly kind: 'union'; readonly members: readonly Path[] }
  | {
      readonly kind: 'filter';
      readonly left: Operand;
      readonly operator: Operator;
      readonly right?: Operand;
    };

export type Path = readonly Step[];
export type Operator = '==' | '!=' | '<=' | '>=' | '<' | '>' | 'exists';
export type Operand =
  | { readonly kind: 'path'; readonly path: Path }
  | { readonly kind: 'literal'; readonly value: Literal };
export type Literal = string | number | boolean;

/** A parsed template: text, values, and ranges that repeat their body for each match. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly path: Path }
  | { readonly kind: 'range'; readonly path: Path; readonly body: readonly Node[] };

/** A template the person wrote wrongly; the message quotes the part at fault. */
export class JsonPathError extends Error {
  override readonly name = 'JsonPathError';
}

const OPERATORS: readonly Operator[] = ['==', '!=', '<=', '>=', '<', '>'];
const QUOTED = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')$/s;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\' };

/**
 * Parses kubectl's JSONPath dialect: text outside braces is printed as it is, `{...}` holds a path, a quoted string, or
 * `range`/`end`. Throws JsonPathError for anything kubectl would refuse, and for a range that is never closed.
 */
export function parseTemplate(template: string): readonly Node[] {
  const frames: { path: Path; body: Node[] }[] = [{ path: [], body: [] }];
  const top = (): { path: Path; body: Node[] } => frames.at(-1) ?? { path: [], body: [] };
  for (const piece of pieces(template)) {
    if (!piece.action) top().body.push({ kind: 'text', text: piece.text });
    else if (piece.text === 'end') closeRange(frames);
    else if (/^range\s/.test(piece.text))
      frames.push({ path: parsePath(piece.text.slice(5).trim()), body: [] });
    else top().body.push(parseAction(piece.text));
  }
  if (frames.length > 1) throw new JsonPathError('{range} without its {end}');
  return top().body;
}

function closeRange(frames: { path: Path; body: Node[] }[]): void {
  const done = frames.length > 1 ? frames.pop() : undefined;
  if (!done) throw new JsonPathError('{end} without a {range} before it');
  frames.at(-1)?.body.push({ kind: 'range', path: done.path, body: done.body });
}

/** Cuts a template at its braces; a brace inside quotes belongs to the action. */
function pieces(template: string): { action: boolean; text: string }[] {
  const found: { action: boolean; text: string }[] = [];
  let rest = template;
  while (rest !== '') {
    const open = rest.indexOf('{');
    if (open !== 0) found.push({ action: false, text: open < 0 ? rest : rest.slice(0, open) });
    if (open < 0) break;
    const close = closingIndex(rest, open + 1, '}');
    if (close < 0) throw new JsonPathError(`unclosed action in ${JSON.stringify(template)}`);
    found.push({ action: true, text: rest.slice(open + 1, close).trim() });
    rest = rest.slice(close + 1);
  }
  return found;
}

/** Position of `close` outside quotes and nested brackets, or -1. */
function closingIndex(text: string, from: number, close: string): number {
  let quote = '';
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === '\\') at += 1;
    else if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === close && depth === 0) return at;
    else depth += nesting(char);
  }
  return -1;
}

const nesting = (char: string): number =>
  char === '[' || char === '(' ? 1 : char === ']' || char === ')' ? -1 : 0;

function parseAction(text: string): Node {
  const literal = literalOf(text);
  if (literal !== undefined) return { kind: 'text', text: String(literal) };
  return { kind: 'path', path: parsePath(text) };
}

function literalOf(text: string): Literal | undefined {
  const quoted = QUOTED.exec(text);
  if (quoted) return unescape(quoted[1] ?? quoted[2] ?? '');
  if (/^[+-]?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return undefined;
}

const unescape = (text: string): string =>
  text.replace(/\\(.)/gs, (_all, char: string) => ESCAPES[char] ?? char);

/** Parses a path; a leading `$` or `@` both mean the current value, as in kubectl. */
export function parsePath(text: string): Path {
  const steps: Step[] = [];
  let rest = /^[$@]/.test(text) ? text.slice(1) : text;
  while (rest !== '') {
    const taken = takeStep(rest, text);
    steps.push(...taken.steps);
    rest = rest.slice(taken.length);
  }
  return steps;
}

function takeStep(rest: string, whole: string): { steps: Step[]; length: number } {
  if (rest.startsWith('[')) return takeBracket(rest, whole);
  const dotted = /^(\.\.|\.)(\*|(?:[^.[\]{}\s'"\\,()|&~]|\\.)*)/s.exec(rest);
  if (!dotted) throw notAPath(rest, whole);
  const [all, dots, word = ''] = dotted;
  const steps: Step[] = dots === '..' ? [{ kind: 'recursive' }] : [];
  if (word === '*') steps.push({ kind: 'wildcard' });
  else if (word !== '') steps.push({ kind: 'field', name: word.replace(/\\(.)/gs, '$1') });
  return { steps, length: all.length };
}

function notAPath(rest: string, whole: string): JsonPathError {
  const word = /^\w+/.exec(rest)?.[0];
  return word === undefined
    ? new JsonPathError(`unexpected ${JSON.stringify(rest[0])} in {${whole}}`)
    : new JsonPathError(
        `unrecognized identifier ${word} in {${whole}} (a path starts with a dot: {.${word}})`,
      );
}

function takeBracket(rest: string, whole: string): { steps: Step[]; length: number } {
  const close = closingIndex(rest, 1, ']');
  if (close < 0) throw new JsonPathError(`unterminated array in {${whole}}`);
  return { steps: [bracketStep(rest.slice(1, close).trim(), whole)], length: close + 1 };
}

function bracketStep(inner: string, whole: string): Step {
  if (inner === '*') return { kind: 'wildcard' };
  const filter = /^\?\((.*)\)$/s.exec(inner);
  if (filter) return parseFilter((filter[1] ?? '').trim(), whole);
  if (inner.startsWith("'")) return { kind: 'union', members: parseNames(inner, whole) };
  if (/^-?\d+$/.test(inner)) return { kind: 'index', index: Number(inner) };
  const slice = /^(-?\d*):(-?\d*)(?::(\d*))?$/.exec(inner);
  if (slice) return parseSlice(slice, whole);
  if (/^-?\d+(\s*,\s*-?\d+)+$/.test(inner))
    return {
      kind: 'union',
      members: inner.split(',').map((one): Path => [{ kind: 'index', index: Number(one) }]),
    };
  throw new JsonPathError(`invalid array index ${inner} in {${whole}} (names go in single quotes: ['name'])`);
}

function parseSlice(match: RegExpExecArray, whole: string): Step {
  const [, from, to, by] = match;
  const step = by ? Number(by) : 1;
  if (step < 1) throw new JsonPathError(`step must be > 0 in {${whole}}`);
  return {
    kind: 'slice',
    by: step,
    ...(from ? { from: Number(from) } : {}),
    ...(to ? { to: Number(to) } : {}),
  };
}

/** `'a','b.c'`: each name is itself a dotted path; `\.` keeps a dot inside a key. */
function parseNames(inner: string, whole: string): Path[] {
  const names = inner.match(/'(?:[^'\\]|\\.)*'/gs) ?? [];
  if (names.join(',') !== inner.replace(/'\s*,\s*'/g, "','")) {
    throw new JsonPathError(`invalid array index ${inner} in {${whole}}`);
  }
  return names.map((name) => fieldPath(name.slice(1, -1)));
}

/** Every dot but an escaped one divides; everything else belongs to a name. */
function fieldPath(text: string): Path {
  const names = text.match(/(?:[^.\\]|\\.)+/gs) ?? [];
  return names.map((name): Step => ({ kind: 'field', name: name.replace(/\\(.)/gs, '$1') }));
}

function parseFilter(text: string, whole: string): Step {
  for (const operator of OPERATORS) {
    const at = operatorIndex(text, operator);
    if (at < 0) continue;
    const left = parseOperand(text.slice(0, at).trim(), whole);
    const right = parseOperand(text.slice(at + operator.length).trim(), whole);
    return { kind: 'filter', left, operator, right };
  }
  return { kind: 'filter', left: parseOperand(text, whole), operator: 'exists' };
}

function operatorIndex(text: string, operator: string): number {
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (text.startsWith(operator, at)) return at;
  }
  return -1;
}

function parseOperand(text: string, whole: string): Operand {
  const value = literalOf(text);
  if (value !== undefined) return { kind: 'literal', value };
  if (!/^[@$]/.test(text)) throw new JsonPathError(`cannot read ${text || 'an empty operand'} in {${whole}}`);
  return { kind: 'path', path: parsePath(text) };
}
