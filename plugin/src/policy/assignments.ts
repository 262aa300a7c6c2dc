// SPDX-License-Identifier: Apache-2.0
import { parse } from 'yaml';
import { CommandError, messageOf } from '../context/failure.ts';

type Tree = { [name: string]: unknown };

/**
 * The merge patch of `field=value` (a value in YAML: `4`, `[a, b]`, `true`) and `field-`, which removes. A dot leads into
 * a member: `total.cpu=10`. Throws CommandError.
 */
export function specChange(fields: readonly string[]): Tree {
  const spec: Tree = {};
  for (const text of fields) {
    const { path, value } = assignment(text);
    const last = path.pop() ?? '';
    let at = spec;
    for (const name of path) at = (at[name] ??= {}) as Tree;
    at[last] = value;
  }
  return spec;
}

const PATH = /^[a-zA-Z][a-zA-Z0-9]*(\.[a-zA-Z][a-zA-Z0-9]*)*$/;

function assignment(text: string): { path: string[]; value: unknown } {
  const at = text.indexOf('=');
  const field = at < 0 ? text.replace(/-$/, '') : text.slice(0, at);
  if (!PATH.test(field) || (at < 0 && !text.endsWith('-'))) {
    throw new CommandError(`${JSON.stringify(text)} is neither FIELD=VALUE nor FIELD-`, 2);
  }
  return { path: field.split('.'), value: at < 0 ? null : valueOf(field, text.slice(at + 1)) };
}

function valueOf(field: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new CommandError(`${field}: ${messageOf(error).split('\n')[0]}`, 2, error);
  }
}
