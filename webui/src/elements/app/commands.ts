// SPDX-License-Identifier: Apache-2.0
import type { TextKey } from '../../text/text.ts';
import type { Command } from '../command-palette/commands.ts';
import { navigationFor } from './pages.ts';
import { SECTIONS, sectionsOf } from './sections.ts';
import { THEMES } from './theme.ts';

/** What the palette offers besides sandboxes; an id says what is done: `go:<path>`, `theme:<theme>`, `create`. */
export function commandsFor(isAdmin: boolean, say: (key: TextKey) => string): readonly Command[] {
  const sections = (['cluster', 'account'] as const).flatMap((group) => sectionsOf(group, isAdmin));
  const pages = [...navigationFor(isAdmin), ...sections.map((name) => SECTIONS[name])];
  // The entry of a group leads to its first section, which has a name of its own.
  const byPath = new Map(pages.map(({ path, text }) => [path, text]));
  return [
    { id: 'create', text: say('action.create'), hint: say('palette.action') },
    ...[...byPath].map(([path, text]) => ({ id: `go:${path}`, text: say(text), hint: say('palette.page') })),
    ...THEMES.map((theme) => ({
      id: `theme:${theme}`,
      text: say(`theme.${theme}`),
      hint: say('theme.label'),
    })),
  ];
}

/** In these, Ctrl-K belongs to the person's shell or editor. */
const OWN_KEYS = new Set(['AGENTTIER-TERMINAL', 'AGENTTIER-YAML-EDITOR']);

/** Ctrl-K or Cmd-K, where the key is not something else's. */
export function asksForPalette(event: KeyboardEvent): boolean {
  if (event.key.toLowerCase() !== 'k' || event.shiftKey || event.altKey) return false;
  if (event.metaKey) return true;
  return event.ctrlKey && !event.composedPath().some((one) => OWN_KEYS.has((one as Element).tagName));
}
