// SPDX-License-Identifier: Apache-2.0
import { html } from 'lit';
import type { TemplateResult } from 'lit';
import type { Frame } from './frame.ts';
import { SECTIONS, sectionsOf } from './sections.ts';
import type { SectionName } from './sections.ts';

/** A section with the others of its group above it. */
export function sectionPage(frame: Frame, name: SectionName): TemplateResult {
  const { group, text, admin, show } = SECTIONS[name];
  return html`<main>
    <nav class="sections" aria-label=${frame.say(`nav.${group}Sections`)}>
      ${sectionsOf(group, frame.isAdmin).map((other) => {
        const { path, text } = SECTIONS[other];
        return html`<a
          href=${frame.href(path)}
          aria-current=${other === name ? 'page' : 'false'}
          @click=${frame.follow(path)}
          >${frame.say(text)}</a
        >`;
      })}
    </nav>
    <div class="title"><h1>${frame.say(text)}</h1></div>
    ${admin && !frame.isAdmin ? explained(frame) : show(frame)}
  </main>`;
}

const explained = (frame: Frame): TemplateResult => html`<div class="empty">
  <h2>${frame.say('app.adminOnly')}</h2>
  <p class="muted">${frame.say('app.adminOnlyHint')}</p>
  <a class="button" href=${frame.href('/')} @click=${frame.follow('/')}>${frame.say('app.home')}</a>
</div>`;
