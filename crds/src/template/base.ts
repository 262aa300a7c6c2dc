// SPDX-License-Identifier: Apache-2.0
import type { Resolved } from '../generated/types.ts';
import { keyOf, originPath, valueAt, type Entry, type Layer, type Slot } from './layer.ts';
import { MERGE_RULES, type MergeRule } from './rules.ts';

type Beneath = NonNullable<Resolved['beneath']>;

/**
 * What the layer of the templates says and the merge does not show, because the sandbox sets it itself or unsets it, or
 * a policy limits it. Without it nobody could tell what is to come back when the sandbox takes its own value out again.
 */
export function beneathOf(
  base: Layer,
  merged: { readonly layer: Layer; readonly origins: Readonly<Record<string, string>> },
): Beneath {
  return MERGE_RULES.flatMap((rule) => {
    const { path } = rule;
    const entries = base.get(path)?.entries ?? [];
    const shown = merged.layer.get(path)?.entries ?? [];
    // A map has no order of its own: what is written down must not depend on how it arrived.
    const sorted = rule.strategy === 'perKey' ? entries.toSorted(byKeyText) : entries;
    return sorted
      .filter((entry) => !isShown(entry, { rule, shown, origins: merged.origins }))
      .map(({ key, value, origin }) => ({ path, ...(key === '' ? {} : { key }), origin, value }));
  });
}

interface Shown {
  readonly rule: MergeRule;
  readonly shown: readonly Entry[];
  readonly origins: Readonly<Record<string, string>>;
}

function isShown(entry: Entry, { rule, shown, origins }: Shown): boolean {
  const index = shown.indexOf(entry);
  return index >= 0 && origins[originPath(rule, entry.key, index)] === entry.origin;
}

/** The one layer that all templates of the chain came to, read back from what was made of it. */
export function baseLayer(kept: Resolved): Layer {
  const layer = new Map<string, Slot>();
  for (const rule of MERGE_RULES) {
    const entries = entriesOf(rule, kept);
    if (entries.length > 0) layer.set(rule.path, { reset: rule.strategy === 'replace', entries });
  }
  return layer;
}

/** Entries of templates in their old order: what the sandbox replaced comes back to its place. */
function entriesOf(rule: MergeRule, { spec = {}, origins = {}, beneath = [] }: Resolved): Entry[] {
  const hidden = beneath
    .filter(({ path }) => path === rule.path)
    .map(({ key = '', value, origin }) => ({ key, value, origin }));
  const shown = membersOf(rule, valueAt(spec, rule.path)).flatMap(({ key, value }, index): Entry[] => {
    const origin = origins[originPath(rule, key, index)] ?? '';
    if (isTemplate(origin)) return [{ key, value, origin }];
    return rule.strategy === 'append' ? [] : hidden.filter((entry) => entry.key === key);
  });
  return [...shown, ...hidden.filter((entry) => !shown.includes(entry))];
}

function membersOf(rule: MergeRule, value: unknown): { key: string; value: unknown }[] {
  if (value === undefined || value === null) return [];
  if (rule.strategy === 'replace') return [{ key: '', value }];
  if (Array.isArray(value)) return value.map((item: unknown) => ({ key: keyOf(rule, item), value: item }));
  return Object.entries(value).map(([key, member]: [string, unknown]) => ({ key, value: member }));
}

const isTemplate = (origin: string): boolean => /^(Cluster)?SandboxTemplate\//.test(origin);

const byKeyText = (a: Entry, b: Entry): number => (a.key < b.key ? -1 : 1);
