// SPDX-License-Identifier: Apache-2.0
import type { Argument, ArgumentSchema, RestCall, Tool } from './tool.ts';

export type CallResult =
  | { readonly ok: true; readonly call: RestCall }
  | { readonly ok: false; readonly problems: readonly string[] };

type Given = Readonly<Record<string, unknown>>;

/** The REST call for these arguments, or everything that is wrong with them. Null counts as not given. */
export function callOf(tool: Tool, given: Given): CallResult {
  const problems = [
    ...Object.keys(given).flatMap((name) =>
      Object.hasOwn(tool.arguments, name) ? [] : [unknown(tool, name)],
    ),
    ...Object.entries(tool.arguments).flatMap(([name, argument]) => problemsOf(name, argument, given[name])),
  ];
  return problems.length > 0 ? { ok: false, problems } : { ok: true, call: build(tool, given) };
}

const unknown = (tool: Tool, name: string): string =>
  `${name} is not an argument of ${tool.name}; those are: ${Object.keys(tool.arguments).join(', ') || 'none'}`;

function problemsOf(name: string, { schema, required, in: place }: Argument, value: unknown): string[] {
  if (value === undefined || value === null) return required ? [`${name} is required`] : [];
  if (!hasType(schema, value))
    return [`${name} must be ${schema.enum ? schema.enum.join(' or ') : NAMES[schema.type]}`];
  // An empty part of a path would be the path of something else.
  return place === 'path' && value === '' ? [`${name} must not be empty`] : [];
}

const NAMES: Readonly<Record<ArgumentSchema['type'], string>> = {
  string: 'a string',
  integer: 'a whole number in its range',
  number: 'a number in its range',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

function hasType(schema: ArgumentSchema, value: unknown): boolean {
  if (schema.enum) return typeof value === 'string' && schema.enum.includes(value);
  switch (schema.type) {
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && !Array.isArray(value);
    case 'integer':
    case 'number':
      return typeof value === 'number' && inRange(schema, value);
    default:
      return typeof value === schema.type;
  }
}

const inRange = ({ type, minimum, maximum }: ArgumentSchema, value: number): boolean =>
  (type === 'number' || Number.isInteger(value)) &&
  value >= (minimum ?? Number.NEGATIVE_INFINITY) &&
  value <= (maximum ?? Number.POSITIVE_INFINITY);

function build(tool: Tool, given: Given): RestCall {
  const at = (place: Argument['in']): [Argument, unknown][] =>
    Object.entries(tool.arguments)
      .filter(
        ([name, argument]) => argument.in === place && given[name] !== undefined && given[name] !== null,
      )
      .map(([name, argument]) => [argument, given[name]]);
  const texts = (place: 'path' | 'query'): Record<string, string> =>
    Object.fromEntries(at(place).map(([{ as }, value]) => [as, textOf(tool, as, value)]));
  const body = at('whole')[0]?.[1] ?? bodyOf(tool, at('body'));
  const raw = at('raw')[0]?.[1];
  const base64 = at('encoding')[0]?.[1] === 'base64';
  return {
    method: tool.method,
    path: tool.path,
    params: texts('path'),
    query: texts('query'),
    ...(body === undefined ? {} : { body }),
    ...(typeof raw === 'string' ? { raw } : {}),
    encoding: base64 ? 'base64' : 'utf-8',
  };
}

/** A parameter that takes the rest of the path is an absolute path without its leading slash. */
function textOf(tool: Tool, as: string, value: unknown): string {
  const text = String(value);
  return tool.path.includes(`*${as}`) ? text.replace(/^\/+/, '') : text;
}

type Tree = Record<string, unknown>;

function bodyOf(tool: Tool, values: readonly [Argument, unknown][]): Tree | undefined {
  const hasBody = tool.fixed !== undefined || Object.values(tool.arguments).some((one) => one.in === 'body');
  if (!hasBody) return undefined;
  // A member of the table that is shared by all calls must not be written to.
  const body = structuredCopy(tool.fixed ?? {});
  for (const [{ as }, value] of values) {
    const path = as.split('.');
    const last = path.pop() ?? '';
    let member = body;
    for (const name of path) member = (member[name] ??= {}) as Tree;
    member[last] = value;
  }
  return body;
}

const structuredCopy = (value: Readonly<Tree>): Tree => JSON.parse(JSON.stringify(value)) as Tree;
