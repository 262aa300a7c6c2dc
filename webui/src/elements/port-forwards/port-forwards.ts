// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { fieldsOf } from '../../controllers/fields.ts';
import { ResourceController } from '../../controllers/resource.ts';
import {
  forwardPort,
  listListening,
  listPorts,
  previewUrl,
  PROTOCOLS,
  suggestionsOf,
  unforwardPort,
} from '../../data/ports.ts';
import type { ForwardedPort, ListeningPort, Protocol } from '../../data/ports.ts';
import type { Problem } from '../../data/problem.ts';
import type { Server } from '../../data/server.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';

/** Programs that begin to listen tell nobody: they are looked for while the page is looked at. */
const LOOK_MS = 5_000;

/**
 * Ports of a sandbox that can be looked at from outside, and those that listen and could be.
 *
 * @fires agenttier-port-changed - `detail.ports` are those that are forwarded now
 */
@customElement('agenttier-port-forwards')
export class AgentTierPortForwards extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    tableStyles,
    css`
      :host {
        display: block;
        container-type: inline-size;
      }
      ul {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem;
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: flex;
        align-items: center;
        gap: 0.5rem;
        margin-inline-end: 1rem;
      }
      .row > label {
        max-width: 14rem;
      }
      h3 {
        font-size: 0.9375rem;
      }
      /* Where it is narrow, the address and what can be done stand below the port. */
      @container (max-width: 40rem) {
        table,
        thead,
        tbody {
          display: block;
        }
        th:nth-child(n + 3) {
          display: none;
        }
        tr {
          display: grid;
          grid-template-columns: minmax(0, 1fr) auto;
          border-block-end: 1px solid var(--line);
        }
        tbody tr:last-child {
          border-block-end: 0;
        }
        td,
        th {
          border-block-end: 0;
        }
        td.wide,
        td.do {
          grid-column: 1 / -1;
        }
      }
    `,
  ];

  @property({ attribute: 'sandbox-id' }) sandboxId = '';
  @state() private problem: Problem | undefined;
  #looking: ReturnType<typeof setInterval> | undefined;

  readonly #ports = new ResourceController<readonly ForwardedPort[]>(this, {
    server: () => this.source,
    load: (server, signal) => listPorts(server, this.#key, signal),
    follows: ['sandbox'],
  });
  readonly #listening = new ResourceController<readonly ListeningPort[]>(this, {
    server: () => this.source,
    load: (server, signal) => listListening(server, this.#key, signal),
    follows: ['sandbox'],
  });

  get #key() {
    return { sandboxId: this.sandboxId, namespace: this.namespace };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#looking = setInterval(() => {
      if (document.visibilityState === 'visible') void this.#listening.reload();
    }, LOOK_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#looking);
  }

  add(port: number, protocol: Protocol = 'http'): Promise<void> {
    return this.#change((server) => forwardPort(server, this.#key, port, protocol));
  }

  discard(port: number): Promise<void> {
    return this.#change((server) => unforwardPort(server, this.#key, port));
  }

  protected override render() {
    const { value, error } = this.#ports;
    if (value === undefined) {
      return html`<div class=${error ? 'note bad' : 'muted'} role="status">
        <span>${error?.message ?? this.say('state.loading')}</span>
        ${error ? html`<button @click=${() => void this.#ports.reload()}>${this.say('state.retry')}</button>` : nothing}
      </div>`;
    }
    const noDomain = value.some(({ protocol, previewUrl: url }) => protocol !== 'tcp' && url === undefined);
    return html`<section>
      ${error ? html`<p class="note warn" role="status">${this.say('state.stale', { message: error.message })}</p>` : nothing}
      ${this.problem ? html`<p class="note bad" role="alert">${this.#problemText(this.problem)}</p>` : nothing}
      ${noDomain ? html`<p class="note">${this.say('ports.noDomain')}</p>` : nothing}
      ${value.length === 0 ? this.#empty() : this.#table(value)} ${this.#form()} ${this.#suggestions(value)}
    </section>`;
  }

  #problemText({ message, violations }: Problem) {
    return violations.length === 0
      ? message
      : violations.map(({ field, message: text }) => html`<span>${field}: ${text}</span>`);
  }

  #empty() {
    return html`<div class="empty">
      <h2>${this.say('ports.none')}</h2>
      <p class="muted">${this.say('ports.noneHint')}</p>
    </div>`;
  }

  #table(ports: readonly ForwardedPort[]) {
    return html`<div class="table" role="region" tabindex="0" aria-label=${this.say('ports.title')}>
      <table>
        <thead>
          <tr>
            <th>${this.say('ports.port')}</th>
            <th>${this.say('ports.protocol')}</th>
            <th>${this.say('ports.address')}</th>
            <th><span class="visually-hidden">${this.say('files.actions')}</span></th>
          </tr>
        </thead>
        <tbody>
          ${ports.map((port) => this.#row(port))}
        </tbody>
      </table>
    </div>`;
  }

  #row({ port, protocol, previewUrl: url }: ForwardedPort) {
    return html`<tr>
      <td class="mono">${port}</td>
      <td>${protocol}</td>
      <td class="wide">
        ${url === undefined ? html`<span class="muted">${this.say('ports.noPreview')}</span>` : html`<span class="mono">${url}</span>`}
      </td>
      <td class="do">
        ${
          url === undefined
            ? nothing
            : html`<button aria-label=${this.say('ports.openNamed', { port })} @click=${() => void this.#open(port)}>
              ${this.say('ports.open')}
            </button>`
        }
        <button
          class="quiet danger"
          aria-label=${this.say('ports.removeNamed', { port })}
          @click=${() => void this.discard(port)}
        >
          ${this.say('ports.remove')}
        </button>
      </td>
    </tr>`;
  }

  #form() {
    return html`<form class="row" @submit=${(event: SubmitEvent) => void this.#submit(event)}>
      <label>
        ${this.say('ports.port')}
        <input name="port" type="number" min="1" max="65535" required inputmode="numeric" placeholder="3000" />
      </label>
      <label>
        ${this.say('ports.protocol')}
        <select name="protocol">
          ${PROTOCOLS.map((protocol) => html`<option>${protocol}</option>`)}
        </select>
      </label>
      <button class="primary">${this.say('ports.add')}</button>
    </form>`;
  }

  /** What listens is known of a sandbox that runs; of another one there is nothing to say. */
  #suggestions(forwarded: readonly ForwardedPort[]) {
    const { value, error } = this.#listening;
    if (value === undefined || error !== undefined) return nothing;
    const suggestions = suggestionsOf(value, forwarded);
    return html`<h3>${this.say('ports.listening')}</h3>
      ${
        suggestions.length === 0
          ? html`<p class="muted">${this.say('ports.nothingListens')}</p>`
          : html`<ul>
            ${suggestions.map(
              ({ port, command }) => html`<li>
                <button @click=${() => void this.add(port)}>${this.say('ports.addNamed', { port })}</button>
                ${command ? html`<span class="muted mono">${command}</span>` : nothing}
              </li>`,
            )}
          </ul>`
      }`;
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const field = fieldsOf(form);
    await this.add(Number(field('port')), field('protocol') as Protocol);
    if (this.problem === undefined) form.reset();
  }

  /** The tab is opened by the click itself: browsers block one that comes later. It learns nothing of this page. */
  async #open(port: number): Promise<void> {
    const tab = globalThis.open('about:blank', '_blank');
    if (tab !== null) tab.opener = null;
    this.problem = await this.attempt(async (server) => {
      const url = await previewUrl(server, this.#key, port);
      tab?.location.replace(url);
    });
    if (this.problem !== undefined) tab?.close();
  }

  async #change(action: (server: Server) => Promise<unknown>): Promise<void> {
    this.problem = await this.attempt(async (server) => void (await action(server)));
    await this.#ports.reload();
    if (this.problem === undefined) this.tell('agenttier-port-changed', { ports: this.#ports.value ?? [] });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-port-forwards': AgentTierPortForwards;
  }
}
