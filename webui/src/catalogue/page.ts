// SPDX-License-Identifier: Apache-2.0
import { html, nothing, render } from 'lit';
import type { AgentTierElement } from '../element.ts';
import { THEMES } from '../elements/app/theme.ts';
import type { Theme } from '../elements/app/theme.ts';
import type { Tags } from '../generated/tags.ts';
import { connect } from '../data/server.ts';
import type { Server } from '../data/server.ts';
import { EXAMPLES } from './examples.ts';
import type { Example } from './examples.ts';
import { DECLARATIONS } from './manifest.ts';
import type { Declaration, Named } from './manifest.ts';
import { exampleFetch } from './server.ts';

/** Gives an element its example: server, properties, what is in it. */
export function makeExample(tag: keyof typeof EXAMPLES, server: Server, theme: Theme): HTMLElement {
  const { set, inside } = EXAMPLES[tag] as Example<keyof Tags>;
  const element = document.createElement(tag);
  if (inside === undefined) return Object.assign(element, { server, theme }, set);
  const inner = document.createElement(inside);
  element.append(Object.assign(inner, { server, theme }));
  return Object.assign(element, set);
}

/** All elements with what can be set and listened to, each with an example that speaks to no server. */
export function drawCatalogue(place: HTMLElement, theme: Theme = 'auto'): void {
  const server = connect({
    apiBase: '/api/v1',
    credential: () => Promise.resolve(undefined),
    fetch: exampleFetch,
  });
  document.documentElement.style.colorScheme = theme === 'auto' ? '' : theme;
  const choose = (event: Event): void =>
    drawCatalogue(place, (event.target as HTMLSelectElement).value as Theme);
  const page = html`<main>
    <header>
      <h1>Elements</h1>
      <label
        >Theme
        <select @change=${choose}>
          ${THEMES.map((one) => html`<option ?selected=${one === theme}>${one}</option>`)}
        </select>
      </label>
    </header>
    <nav aria-label="Elements">
      ${DECLARATIONS.map(({ tagName }) => html`<a href="#${tagName}">${tagName.replace('agenttier-', '')}</a>`)}
    </nav>
    ${DECLARATIONS.map((declaration) => sectionOf(declaration, server, theme))}
  </main>`;
  render(page, place);
}

function sectionOf(declaration: Declaration, server: Server, theme: Theme) {
  const { tagName, description } = declaration;
  return html`<section id=${tagName} aria-labelledby="${tagName}-title">
    <h2 id="${tagName}-title"><code>&lt;${tagName}&gt;</code></h2>
    <p>${marked(description)}</p>
    ${isShown(tagName) ? exampleOf(tagName, server, theme) : html`<p><a href="/">This is the dashboard itself.</a></p>`}
    <details>
      <summary>Attributes, events and parts</summary>
      ${listOf('Attributes', declaration.attributes)} ${listOf('Properties and methods', declaration.members)}
      ${listOf('Events', declaration.events)} ${listOf('Slots', declaration.slots)}
      ${listOf('Parts', declaration.cssParts)} ${listOf('Custom properties', declaration.cssProperties)}
    </details>
  </section>`;
}

const isShown = (tag: keyof Tags): tag is keyof typeof EXAMPLES => tag in EXAMPLES;

function exampleOf(tag: keyof typeof EXAMPLES, server: Server, theme: Theme) {
  const element = makeExample(tag, server, theme);
  const { act } = EXAMPLES[tag] as Example<keyof Tags>;
  return html`${
    act === undefined
      ? nothing
      : html`<button @click=${() => act.run(element as AgentTierElement as never)}>${act.label}</button>`
  }
    <div class="example">${element}</div>`;
}

const listOf = (title: string, named: readonly Named[]) =>
  named.length === 0
    ? nothing
    : html`<h3>${title}</h3>
        <dl>
          ${named.map(
            ({ name, description }) =>
              html`<dt><code>${name || 'default slot'}</code></dt>
                <dd>${marked(description)}</dd>`,
          )}
        </dl>`;

/** What stands between backticks in a doc comment is code. */
const marked = (text: string) =>
  text.split('`').map((part, at) => (at % 2 === 0 ? part : html`<code>${part}</code>`));
