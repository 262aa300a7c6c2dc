// SPDX-License-Identifier: Apache-2.0
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { TextKey } from '../../text/text.ts';
import type { Frame } from './frame.ts';
import { settingsPath, terminalPath } from './routes.ts';
import type { Page } from './routes.ts';
import { sectionPage } from './sectionPage.ts';
import { SECTIONS, sectionsOf } from './sections.ts';
import type { Group } from './sections.ts';

interface Entry {
  readonly text: TextKey;
  readonly path: string;
  readonly leadsTo: (page: Page) => boolean;
}

/** What the head of each page leads to; a group of sections by the first that the person may see. */
export const navigationFor = (isAdmin: boolean): readonly Entry[] => [
  { text: 'nav.sandboxes', path: '/', leadsTo: ({ name }) => name === 'sandboxes' },
  { text: 'nav.templates', path: '/templates', leadsTo: ({ name }) => name === 'templates' },
  groupEntry('cluster', isAdmin),
  groupEntry('account', isAdmin),
];

function groupEntry(group: Group, isAdmin: boolean): Entry {
  const [first = 'activity'] = sectionsOf(group, isAdmin);
  const leadsTo = (page: Page): boolean => page.name === 'section' && SECTIONS[page.section].group === group;
  return { text: `nav.${group}`, path: SECTIONS[first].path, leadsTo };
}

/** Elements that only some pages need come when such a page is shown. */
const LATE: Partial<Record<Page['name'], () => Promise<unknown>>> = {
  terminal: () => import('../terminal/terminal.ts'),
  settings: () => import('../sandbox-settings/sandbox-settings.ts'),
  templates: () => import('../templates/templates.ts'),
};

export const loadPage = (page: Page): Promise<unknown> =>
  page.name === 'section' ? SECTIONS[page.section].load() : (LATE[page.name]?.() ?? Promise.resolve());

type OpenEvent = CustomEvent<{ sandbox: { namespace: string; name: string }; target: string }>;

export const opener =
  (frame: Pick<Frame, 'navigate'>) =>
  ({ detail: { sandbox, target } }: OpenEvent): void => {
    const path = target === 'settings' ? settingsPath : terminalPath;
    frame.navigate(path(sandbox.namespace, sandbox.name));
  };

type PageNamed<N extends Page['name']> = Extract<Page, { name: N }>;

const PAGES: { readonly [N in Page['name']]: (frame: Frame, page: PageNamed<N>) => TemplateResult } = {
  sandboxes,
  // A sign-in that is under way; the page that it was begun on comes next.
  callback: sandboxes,
  terminal: (frame, { sandboxId, namespace }) => html`<main class="whole">
    <h1 class="visually-hidden">${frame.say('terminal.label', { name: sandboxId })}</h1>
    <agenttier-terminal sandbox-id=${sandboxId} namespace=${namespace} theme=${frame.theme}>
      <a slot="title" href=${frame.href(settingsPath(namespace, sandboxId))} @click=${frame.follow(settingsPath(namespace, sandboxId))}
        >${sandboxId}</a
      >
    </agenttier-terminal>
  </main>`,
  settings: (frame, { sandboxId, namespace }) => html`<main>
    <agenttier-sandbox-settings
      sandbox-id=${sandboxId}
      namespace=${namespace}
      theme=${frame.theme}
      @agenttier-sandbox-open=${opener(frame)}
    ></agenttier-sandbox-settings>
  </main>`,
  section: (frame, { section }) => sectionPage(frame, section),
  templates: (frame) => html`<main>
    <div class="title"><h1>${frame.say('nav.templates')}</h1></div>
    <agenttier-templates theme=${frame.theme}></agenttier-templates>
  </main>`,
  unknown: (frame) => html`<main>
    <div class="empty">
      <h1>${frame.say('app.notFound')}</h1>
      <p class="muted">${frame.say('app.notFoundHint')}</p>
      <a class="button" href=${frame.href('/')} @click=${frame.follow('/')}>${frame.say('app.home')}</a>
    </div>
  </main>`,
};

/** The page itself, below the head. */
export const pageOf = (page: Page, frame: Frame): TemplateResult =>
  (PAGES[page.name] as (frame: Frame, page: Page) => TemplateResult)(frame, page);

function sandboxes(frame: Frame): TemplateResult {
  return html`<main>
    <div class="title">
      <h1>${frame.say('list.title')}</h1>
      <button class="primary" @click=${() => frame.create()}>${frame.say('action.create')}</button>
    </div>
    <agenttier-sandbox-list theme=${frame.theme} @agenttier-sandbox-open=${opener(frame)}>
      <div class="first" slot="empty">
        <ol>
          <li>
            ${frame.say('first.template')}
            <a href=${frame.href('/templates')} @click=${frame.follow('/templates')}>${frame.say('nav.templates')}</a>
          </li>
          <li>${frame.say('first.create')}</li>
          <li>${frame.say('first.terminal')}</li>
        </ol>
        <button class="primary" @click=${() => frame.create()}>${frame.say('action.create')}</button>
      </div>
    </agenttier-sandbox-list>
    <agenttier-create-sandbox theme=${frame.theme}></agenttier-create-sandbox>
  </main>`;
}
