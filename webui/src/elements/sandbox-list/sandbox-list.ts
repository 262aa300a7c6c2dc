// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { ResourceController } from '../../controllers/resource.ts';
import { listSandboxes } from '../../data/sandboxes.ts';
import type { Phase, Sandbox } from '../../data/sandboxes.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import '../sandbox-card/sandbox-card.ts';
import { select } from './selection.ts';

const PHASES: readonly Phase[] = ['Running', 'Creating', 'Stopped', 'Error', 'Deleting'];

/**
 * The sandboxes that the person may see, as cards, kept current by the server.
 *
 * @fires agenttier-sandbox-open - from the cards
 * @slot empty - shown when there is no sandbox at all
 * @csspart grid - the cards
 */
@customElement('agenttier-sandbox-list')
export class AgentTierSandboxList extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    css`
      :host {
        display: grid;
        gap: 1rem;
      }
      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.625rem;
      }
      .bar input {
        flex: 1 1 14rem;
        width: auto;
      }
      .bar select {
        width: auto;
      }
      ul {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr));
        gap: 0.875rem;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      /* A thousand cards: those out of sight cost neither layout nor paint. */
      li {
        display: grid;
        content-visibility: auto;
        contain-intrinsic-size: auto 15rem;
      }
    `,
  ];

  /** Words to filter by, as the person typed them. */
  @property() filter = '';
  @property() status: Phase | '' = '';
  @state() private shown: readonly Sandbox[] = [];

  readonly #sandboxes = new ResourceController<readonly Sandbox[]>(this, {
    server: () => this.source,
    load: listSandboxes,
    follows: ['sandbox'],
  });

  /** Asks the server now. */
  refresh(): Promise<void> {
    return this.#sandboxes.reload();
  }

  protected override willUpdate(): void {
    const selection = { text: this.filter, phase: this.status, namespace: this.namespace };
    this.shown = select(this.#sandboxes.value ?? [], selection);
  }

  protected override render() {
    const { value, error, waiting } = this.#sandboxes;
    if (waiting) return html`<p class="muted" role="status">${this.say('state.loading')}</p>`;
    if (value === undefined) return this.#failed(error?.message ?? '');
    return html`
      ${error ? html`<p class="note warn" role="status">${this.say('state.stale', { message: error.message })}</p>` : nothing}
      ${value.length === 0 ? this.#empty() : html`${this.#bar(value.length)} ${this.#cards(value.length)}`}
    `;
  }

  #failed(message: string) {
    return html`<div class="note bad" role="alert">
      <span>${message}</span>
      <button @click=${() => void this.refresh()}>${this.say('state.retry')}</button>
    </div>`;
  }

  #empty() {
    return html`<div class="empty">
      <h2>${this.say('list.empty')}</h2>
      <p class="muted">${this.say('list.emptyHint')}</p>
      <slot name="empty"></slot>
    </div>`;
  }

  #bar(count: number) {
    return html`<div class="bar" role="search">
      <input
        type="search"
        aria-label=${this.say('list.filter')}
        placeholder=${this.say('list.filter')}
        .value=${this.filter}
        @input=${(event: Event) => (this.filter = (event.target as HTMLInputElement).value)}
      />
      <select
        aria-label=${this.say('list.status')}
        @change=${(event: Event) => (this.status = (event.target as HTMLSelectElement).value as Phase | '')}
      >
        <option value="" ?selected=${this.status === ''}>${this.say('list.all')}</option>
        ${PHASES.map(
          (phase) =>
            html`<option value=${phase} ?selected=${this.status === phase}>${this.say(`phase.${phase}`)}</option>`,
        )}
      </select>
      <span class="muted" role="status">${this.say('list.count', { shown: this.shown.length, count })}</span>
    </div>`;
  }

  #cards(count: number) {
    if (this.shown.length === 0) {
      return html`<div class="empty">
        <h2>${this.say('list.noMatch')}</h2>
        <p class="muted">${this.say('list.noMatchHint', { count })}</p>
        <button @click=${() => ((this.filter = ''), (this.status = ''))}>${this.say('list.clear')}</button>
      </div>`;
    }
    return html`<ul part="grid">
      ${repeat(
        this.shown,
        ({ namespace, name }) => `${namespace}/${name}`,
        (sandbox) =>
          html`<li>
            <agenttier-sandbox-card
              .sandbox=${sandbox}
              .server=${this.source}
              theme=${this.theme}
              lang=${this.lang}
            ></agenttier-sandbox-card>
          </li>`,
      )}
    </ul>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-sandbox-list': AgentTierSandboxList;
  }
}
