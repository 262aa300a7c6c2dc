// SPDX-License-Identifier: Apache-2.0
import { MERGE_RULES } from '../template/rules.ts';
import { withoutTrailing } from '../meta/trailing.ts';

/** One effective field: where its value came from and what it is. */
export interface ExplainedField {
  readonly field: string;
  /** Absent for a field that is not set and yet bounded by a policy. */
  readonly value?: unknown;
  readonly origin: string;
}

/** Joins an effective spec with the origins of its fields, in the order that the origins have. */
export function explainFields(spec: object, origins: Readonly<Record<string, string>>): ExplainedField[] {
  return Object.entries(origins).map(([field, origin]) => ({ field, value: valueOf(spec, field), origin }));
}

/**
 * The value at an origin's path: `image.tag`, `resources.limits.cpu`, `resources.limits[nvidia.com/gpu]`,
 * `env[STAGE]` (an item by its key) or `initScripts[0]`. Undefined where there is none.
 */
export function valueOf(spec: object, path: string): unknown {
  const [, base = path, key] = /^([^[]*)(?:\[(.*)\])?$/s.exec(path) ?? [];
  const container = base.split('.').reduce<unknown>(member, spec);
  if (key === undefined) return container;
  if (!Array.isArray(container)) return member(container, key);
  const keys = MERGE_RULES.find((rule) => rule.path === base)?.keys;
  if (keys === undefined) return container[Number(key)];
  return container.find((item) => itemKey(item, keys) === key);
}

function itemKey(item: unknown, keys: readonly string[]): string {
  const parts = keys.map((key) => text(member(item, key)));
  return withoutTrailing(parts.join(','), ',');
}

const text = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';

function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}
