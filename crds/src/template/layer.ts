// SPDX-License-Identifier: Apache-2.0
import { MERGE_RULES, type MergeRule } from './rules.ts';
import { withoutTrailing } from '../meta/trailing.ts';

/** One contribution to a field: an item of a list, an entry of a map, or the value itself under the key ''. */
export interface Entry {
  readonly key: string;
  readonly value: unknown;
  readonly origin: string;
}

/** What a layer says about one field. `reset` forgets everything that the layers below said about it. */
export interface Slot {
  readonly reset: boolean;
  readonly entries: readonly Entry[];
}

/**
 * What a template or a sandbox says, by rule path; a field it is silent about has no slot. Stacking layers is
 * associative, so a chain gives one result however it is grouped.
 */
export type Layer = ReadonlyMap<string, Slot>;

export const EMPTY_LAYER: Layer = new Map();

/** Reads the fields that take part in the merge from a spec; `origin` is the name kept with each of them. */
export function readLayer(spec: object, origin: string): Layer {
  const layer = new Map<string, Slot>();
  for (const rule of MERGE_RULES) {
    const value = valueAt(spec, rule.path);
    if (value === undefined || value === null) continue;
    layer.set(rule.path, slotOf(rule, value, origin));
  }
  for (const rule of MERGE_RULES) {
    if (rule.clears === undefined || !layer.has(rule.path)) continue;
    for (const path of rule.clears) if (!layer.has(path)) layer.set(path, { reset: true, entries: [] });
  }
  return layer;
}

/** `above` laid over `below`. */
export function stack(below: Layer, above: Layer): Layer {
  const out = new Map(below);
  for (const rule of MERGE_RULES) {
    const upper = above.get(rule.path);
    if (upper === undefined) continue;
    const lower = below.get(rule.path);
    out.set(rule.path, lower === undefined || upper.reset ? upper : join(rule, lower, upper));
  }
  return out;
}

/** `layer` over `defaults`, with the defaults also in the place of what the layer only unset. */
export function fillFrom(defaults: Layer, layer: Layer): Layer {
  const softened = new Map<string, Slot>();
  for (const [path, slot] of layer) {
    const rule = MERGE_RULES.find((candidate) => candidate.path === path);
    const replaces = rule?.strategy === 'replace' && slot.entries.length > 0;
    softened.set(path, { reset: replaces, entries: slot.entries });
  }
  return stack(defaults, softened);
}

/** The spec that the layer describes, and for each field of it the origin. */
export function render(layer: Layer): { spec: Record<string, unknown>; origins: Record<string, string> } {
  const spec: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  for (const rule of MERGE_RULES) {
    const entries = layer.get(rule.path)?.entries ?? [];
    if (entries.length === 0) continue;
    setAt(spec, rule.path, valueOf(rule, entries));
    for (const [index, entry] of entries.entries())
      origins[originPath(rule, entry.key, index)] = entry.origin;
  }
  return { spec, origins };
}

/** Origin of a replaced field, undefined where the layer is silent. */
export function originAt(layer: Layer, path: string): string | undefined {
  return layer.get(path)?.entries[0]?.origin;
}

/** The layer without a field. */
export function without(layer: Layer, path: string): Layer {
  const out = new Map(layer);
  out.delete(path);
  return out;
}

function slotOf(rule: MergeRule, value: unknown, origin: string): Slot {
  if (rule.strategy === 'replace') {
    return { reset: true, entries: isEmpty(value) ? [] : [{ key: '', value, origin }] };
  }
  const members = Array.isArray(value)
    ? value.map((item: unknown) => ({ key: keyOf(rule, item), value: item, origin }))
    : Object.entries(value as object).map(([key, member]: [string, unknown]) => ({
        key,
        value: member,
        origin,
      }));
  return { reset: members.length === 0, entries: rule.strategy === 'append' ? members : unique(members) };
}

/** {} is a value (a selector that selects everything); '' and [] are the two ways to say "none". */
function isEmpty(value: unknown): boolean {
  return value === '' || (Array.isArray(value) && value.length === 0);
}

/** What tells an item from the others of its list; '' where there is nothing to tell. */
export function keyOf(rule: MergeRule, item: unknown): string {
  const member = item as Readonly<Record<string, string | undefined>>;
  return (rule.keys ?? []).map((key) => member[key] ?? '').join(',');
}

function join(rule: MergeRule, lower: Slot, upper: Slot): Slot {
  const all = [...lower.entries, ...upper.entries];
  return { reset: lower.reset, entries: rule.strategy === 'append' ? all : unique(all) };
}

/** Of entries with one key the last, at the place of the first. */
function unique(entries: readonly Entry[]): Entry[] {
  return [...new Map(entries.map((entry) => [entry.key, entry])).values()];
}

function valueOf(rule: MergeRule, entries: readonly Entry[]): unknown {
  if (rule.strategy === 'replace') return entries[0]?.value;
  if (rule.strategy === 'perKey') return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
  return entries.map(({ value }) => value);
}

/** Path under which the origin of an entry is kept. */
export function originPath(rule: MergeRule, key: string, index: number): string {
  if (rule.strategy === 'replace') return rule.path;
  if (rule.strategy === 'append') return `${rule.path}[${index}]`;
  if (rule.strategy === 'byKey') return `${rule.path}[${withoutTrailing(key, ',')}]`;
  return /[./]/.test(key) ? `${rule.path}[${key}]` : `${rule.path}.${key}`;
}

export function valueAt(spec: object, path: string): unknown {
  let node: unknown = spec;
  for (const key of path.split('.')) {
    if (typeof node !== 'object' || node === null) return undefined;
    node = (node as Readonly<Record<string, unknown>>)[key];
  }
  return node;
}

function setAt(spec: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let node = spec;
  for (const key of keys) {
    const child = (node[key] ?? {}) as Record<string, unknown>;
    node[key] = child;
    node = child;
  }
  node[last] = value;
}
