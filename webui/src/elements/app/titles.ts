// SPDX-License-Identifier: Apache-2.0
import type { TextKey } from '../../text/text.ts';
import type { Page } from './routes.ts';
import { SECTIONS } from './sections.ts';

type Say = (key: TextKey, params?: Readonly<Record<string, string | number>>) => string;

type PageNamed<N extends Page['name']> = Extract<Page, { name: N }>;

const TITLES: { readonly [N in Page['name']]: (page: PageNamed<N>, say: Say) => string } = {
  sandboxes: (_page, say) => say('list.title'),
  callback: (_page, say) => say('list.title'),
  terminal: ({ sandboxId }, say) => say('terminal.label', { name: sandboxId }),
  settings: ({ sandboxId }) => sandboxId,
  section: ({ section }, say) => say(SECTIONS[section].text),
  templates: (_page, say) => say('nav.templates'),
  unknown: (_page, say) => say('app.notFound'),
};

/** What the tab of the browser is called: what tells tabs apart comes first. */
export const titleOf = (page: Page, say: Say): string =>
  `${(TITLES[page.name] as (page: Page, say: Say) => string)(page, say)} – AgentTier`;
