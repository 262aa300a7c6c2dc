// SPDX-License-Identifier: Apache-2.0
import { sectionAt } from './sections.ts';
import type { SectionName } from './sections.ts';

/** A page of the dashboard and what its address says. */
export type Page =
  | { readonly name: 'sandboxes' }
  | { readonly name: 'terminal'; readonly namespace: string; readonly sandboxId: string }
  | { readonly name: 'settings'; readonly namespace: string; readonly sandboxId: string }
  | { readonly name: 'section'; readonly section: SectionName }
  | { readonly name: 'templates' }
  | { readonly name: 'callback' }
  | { readonly name: 'unknown' };

const PATTERNS: readonly (readonly [pattern: RegExp, page: (parts: readonly string[]) => Page])[] = [
  [/^\/?$/, () => ({ name: 'sandboxes' })],
  [/^\/callback$/, () => ({ name: 'callback' })],
  [/^\/templates$/, () => ({ name: 'templates' })],
  [
    /^\/sandboxes\/([^/]+)\/([^/]+)$/,
    ([namespace = '', sandboxId = '']) => ({ name: 'settings', namespace, sandboxId }),
  ],
  [
    /^\/sandboxes\/([^/]+)\/([^/]+)\/terminal$/,
    ([namespace = '', sandboxId = '']) => ({ name: 'terminal', namespace, sandboxId }),
  ],
];

/** An address that is no UTF-8 leads nowhere. */
function decoded(parts: readonly string[], page: (parts: readonly string[]) => Page): Page {
  try {
    return page(parts.map(decodeURIComponent));
  } catch {
    return { name: 'unknown' };
  }
}

/** The page at a path below the dashboard's own. */
export function pageAt(path: string): Page {
  for (const [pattern, page] of PATTERNS) {
    const match = pattern.exec(path);
    if (match) return decoded(match.slice(1), page);
  }
  const section = sectionAt(path);
  return section === undefined ? { name: 'unknown' } : { name: 'section', section };
}

export const settingsPath = (namespace: string, sandboxId: string): string =>
  `/sandboxes/${encodeURIComponent(namespace)}/${encodeURIComponent(sandboxId)}`;

export const terminalPath = (namespace: string, sandboxId: string): string =>
  `${settingsPath(namespace, sandboxId)}/terminal`;
