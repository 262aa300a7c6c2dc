// SPDX-License-Identifier: Apache-2.0

/** Namespaces by group; `*` among them is all. An empty mapping limits nobody. */
export type GroupNamespaces = Readonly<Record<string, readonly string[]>>;

/**
 * The namespaces that the groups open, or undefined for all of them. Where there is a mapping, whoever is in none of its
 * groups has none.
 */
export function namespacesOf(
  groups: readonly string[],
  mapping: GroupNamespaces,
): readonly string[] | undefined {
  if (Object.keys(mapping).length === 0) return undefined;
  const opened = groups.flatMap((group) => (Object.hasOwn(mapping, group) ? (mapping[group] ?? []) : []));
  return opened.includes('*') ? undefined : [...new Set(opened)].sort();
}

/** Those of the groups that the mapping knows: what has to be remembered of a person to limit them later. */
export const mappedGroups = (groups: readonly string[], mapping: GroupNamespaces): string[] =>
  groups.filter((group) => Object.hasOwn(mapping, group));
