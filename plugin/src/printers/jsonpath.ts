// SPDX-License-Identifier: Apache-2.0
import { JSONPath } from 'jsonpath-plus';
import {
  JsonPathError,
  type Node,
  type Operand,
  type Path,
  parseTemplate,
  type Step,
} from './jsonpathParse.ts';
import { sortKeys } from './sortKeys.ts';

type FilterStep = Extract<Step, { kind: 'filter' }>;
type SliceStep = Extract<Step, { kind: 'slice' }>;

/**
 * Renders kubectl's `-o jsonpath=` templates. Missing fields print nothing; a list position outside the list is an
 * error, exactly as kubectl has it. Throws JsonPathError.
 */
export function renderJsonPath(template: string, data: unknown): string {
  return renderNodes(parseTemplate(template), data);
}

function renderNodes(nodes: readonly Node[], data: unknown): string {
  return nodes.map((node) => renderNode(node, data)).join('');
}

function renderNode(node: Node, data: unknown): string {
  if (node.kind === 'text') return node.text;
  const found = selectPath(node.path, [data]);
  if (node.kind === 'path') return found.map(printed).join(' ');
  return found.map((item) => renderNodes(node.body, item)).join('');
}

function printed(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(sortKeys(value)) ?? '';
}

/** Values a path leads to, from all of the inputs; the members of a union come one after the other, as in kubectl. */
export function selectPath(path: Path, inputs: readonly unknown[]): readonly unknown[] {
  return path.reduce<readonly unknown[]>(
    (values, step) =>
      step.kind === 'union'
        ? step.members.flatMap((member) => selectPath(member, values))
        : values.flatMap((value) => applyStep(step, value)),
    inputs,
  );
}

function applyStep(step: Exclude<Step, { kind: 'union' }>, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return applyToList(step, value);
  if (typeof value !== 'object' || value === null) return [];
  if (step.kind === 'field') return member(value, step.name);
  return step.kind === 'wildcard' || step.kind === 'recursive' ? query(step.kind, value) : [];
}

function applyToList(step: Exclude<Step, { kind: 'union' }>, list: readonly unknown[]): readonly unknown[] {
  switch (step.kind) {
    case 'index':
      return [itemAt(list, step.index)];
    case 'slice':
      return sliceOf(list, step);
    case 'filter':
      return list.filter((item) => holds(step, item));
    case 'wildcard':
    case 'recursive':
      return query(step.kind, list);
    default:
      return [];
  }
}

function member(value: object, name: string): readonly unknown[] {
  return Object.hasOwn(value, name) ? [(value as Readonly<Record<string, unknown>>)[name]] : [];
}

const QUERIES = { wildcard: '$.*', recursive: '$..' } as const;

/**
 * jsonpath-plus walks, with `eval` off, and sees our own two constant paths only: it rewrites a path as text, where a
 * field named `a^b`, `x,y` or `it's` turns into its own syntax. Names, positions and filters are therefore done here.
 */
function query(kind: keyof typeof QUERIES, value: object): readonly unknown[] {
  const found: unknown = JSONPath({ path: QUERIES[kind], json: value, eval: false, wrap: true });
  const values: readonly unknown[] = Array.isArray(found) ? found : [];
  // Only what can hold something lies on a recursive path.
  return kind === 'recursive' ? values.filter((one) => typeof one === 'object' && one !== null) : values;
}

function itemAt(list: readonly unknown[], index: number): unknown {
  const at = index < 0 ? index + list.length : index;
  if (at < 0 || at >= list.length) {
    throw new JsonPathError(`array index out of bounds: index ${index}, length ${list.length}`);
  }
  return list[at];
}

function sliceOf(list: readonly unknown[], step: SliceStep): unknown[] {
  const absolute = (position: number): number => (position < 0 ? position + list.length : position);
  const from = absolute(step.from ?? 0);
  const to = absolute(step.to ?? list.length);
  if (to > list.length) {
    throw new JsonPathError(`array index out of bounds: index ${to - 1}, length ${list.length}`);
  }
  if (from > to) throw new JsonPathError(`starting index ${from} is greater than ending index ${to}`);
  return list.slice(Math.max(0, from), to).filter((_item, at) => at % step.by === 0);
}

function holds(step: FilterStep, item: unknown): boolean {
  const left = operandValues(step.left, item);
  if (step.operator === 'exists') return left.length > 0;
  const right = step.right ? operandValues(step.right, item) : [];
  if (left.length > 1 || right.length > 1) throw new JsonPathError('can only compare one element at a time');
  if (left.length === 0 || right.length === 0) return false;
  return compare(step.operator, left[0], right[0]);
}

function operandValues(operand: Operand, item: unknown): readonly unknown[] {
  return operand.kind === 'literal' ? [operand.value] : selectPath(operand.path, [item]);
}

function compare(operator: FilterStep['operator'], left: unknown, right: unknown): boolean {
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  const [a, b] = [left, right];
  const ordered =
    (typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string');
  if (!ordered) return false;
  if (operator === '<') return a < b;
  if (operator === '<=') return a <= b;
  return operator === '>' ? a > b : a >= b;
}
