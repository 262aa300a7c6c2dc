// SPDX-License-Identifier: Apache-2.0
import { equalJson } from './canonical.ts';

/** One operation of RFC 6902; the three that a difference needs. */
export type JsonPatchOp =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Smallest-path patch that turns `before` into `after`: objects are walked, everything else is replaced whole.
 * Empty when they are equal. A member that is undefined counts as absent.
 */
export function jsonPatch(before: unknown, after: unknown): JsonPatchOp[] {
  if (equalJson(before, after)) return [];
  if (!isObject(before) || !isObject(after)) return [{ op: 'replace', path: '', value: after }];
  return difference(before, after, '');
}

function difference(before: JsonObject, after: JsonObject, path: string): JsonPatchOp[] {
  const ops: JsonPatchOp[] = [];
  for (const [key, old] of Object.entries(before)) {
    if (old === undefined || own(after, key) !== undefined) continue;
    ops.push({ op: 'remove', path: `${path}/${escape(key)}` });
  }
  for (const [key, value] of Object.entries(after)) {
    if (value !== undefined) ops.push(...member(own(before, key), value, `${path}/${escape(key)}`));
  }
  return ops;
}

function member(old: unknown, value: unknown, path: string): JsonPatchOp[] {
  if (old === undefined) return [{ op: 'add', path, value }];
  if (isObject(old) && isObject(value)) return difference(old, value, path);
  return equalJson(old, value) ? [] : [{ op: 'replace', path, value }];
}

/** Labels and variables may be called `constructor`, which every object inherits. */
function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** RFC 6901: the tilde first, or the slash's escape would be escaped again. */
function escape(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
