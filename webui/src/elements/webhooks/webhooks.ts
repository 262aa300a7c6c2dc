// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { fieldsOf } from '../../controllers/fields.ts';
import { ResourceController } from '../../controllers/resource.ts';
import type { Problem } from '../../data/problem.ts';
import type { Server } from '../../data/server.ts';
import {
  createWebhook,
  deleteWebhook,
  EVENT_TYPES,
  listDeliveries,
  listWebhooks,
} from '../../data/webhooks.ts';
import type { Delivery, MintedWebhook, Webhook } from '../../data/webhooks.ts';
import { AgentTierElement } from '../../element.ts';
import { refusal, shown } from '../../parts/states.ts';
import type { Say } from '../../parts/states.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';
import { sinceText } from '../../text/time.ts';
import { styles } from './webhooks.styles.ts';

interface Opened {
  readonly webhook: Webhook;
  readonly deliveries: readonly Delivery[];
}

/**
 * Addresses that events are posted to, and how that went. The key that signs the posts is shown once.
 *
 * @fires agenttier-webhooks-changed - one was made or ended
 */
@customElement('agenttier-webhooks')
export class AgentTierWebhooks extends AgentTierElement {
  static override styles = [baseStyles, controlStyles, tableStyles, styles];

  @state() private problem: Problem | undefined;
  @state() private minted: MintedWebhook | undefined;
  @state() private opened: Opened | undefined;

  readonly #webhooks = new ResourceController<readonly Webhook[]>(this, {
    server: () => this.source,
    load: listWebhooks,
    follows: ['webhook'],
  });
  readonly #say: Say = (key, params) => this.say(key, params);

  /** Asks the server now. */
  refresh(): Promise<void> {
    return this.#webhooks.reload();
  }

  protected override render() {
    return shown(
      this.#say,
      this.#webhooks,
      (webhooks) => html`
        ${refusal(this.problem)} ${this.#mintedNote()} ${this.#form()}
        ${
          webhooks.length === 0
            ? html`<div class="empty">
                <h2>${this.say('webhooks.none')}</h2>
                <p class="muted">${this.say('webhooks.noneHint')}</p>
              </div>`
            : this.#table(webhooks)
        }
        ${this.opened ? this.#deliveries(this.opened) : nothing}
      `,
    );
  }

  #mintedNote() {
    if (this.minted === undefined) return nothing;
    return html`<div class="note warn" role="status">
      <span>${this.say('webhooks.once')}</span><code class="mono">${this.minted.secret}</code>
    </div>`;
  }

  #form() {
    return html`<form @submit=${(event: SubmitEvent) => void this.#create(event)}>
      <div class="row">
        <label class="url">
          ${this.say('webhooks.url')}
          <input name="url" type="url" required pattern="https://.*" placeholder="https://" autocomplete="off" />
        </label>
        <label>${this.say('webhooks.sandbox')}<input name="sandbox" autocomplete="off" /></label>
        <label>${this.say('create.namespace')}<input name="namespace" autocomplete="off" /></label>
      </div>
      <p class="muted">${this.say('webhooks.scopeHint')}</p>
      <fieldset>
        <legend>${this.say('webhooks.choose')}</legend>
        ${EVENT_TYPES.map(
          (type) => html`<label><input type="checkbox" name="event" value=${type} />${type}</label>`,
        )}
      </fieldset>
      <button class="primary">${this.say('webhooks.create')}</button>
    </form>`;
  }

  #table(webhooks: readonly Webhook[]) {
    const heads = ['url', 'events', 'scope', 'made', 'state'] as const;
    return html`<div class="table" tabindex="0" role="region" aria-label=${this.say('nav.webhooks')}>
      <table>
        <thead>
          <tr>
            ${heads.map((head) => html`<th>${this.say(`webhooks.${head}`)}</th>`)}
            <th><span class="visually-hidden">${this.say('webhooks.deliveries')}</span></th>
          </tr>
        </thead>
        <tbody>
          ${webhooks.map((webhook) => this.#row(webhook))}
        </tbody>
      </table>
    </div>`;
  }

  #row(webhook: Webhook) {
    const { id, url, eventTypes, scope, sandboxId, namespace, createdAt, disabled, disabledReason } = webhook;
    return html`<tr>
      <td class="wide">${url}</td>
      <td class="wide">${eventTypes.join(', ') || this.say('webhooks.all')}</td>
      <td>${scope === 'Cluster' ? this.say('webhooks.cluster') : [namespace, sandboxId].filter(Boolean).join('/')}</td>
      <td>${sinceText(createdAt, this.lang)}</td>
      <td class=${disabled ? 'wide off' : ''}>
        ${disabled ? (disabledReason ?? this.say('webhooks.off')) : this.say('webhooks.on')}
      </td>
      <td class="do">
        <button
          class="quiet"
          aria-expanded=${this.opened?.webhook.id === id}
          @click=${() => void this.#toggle(webhook)}
        >
          ${this.say('webhooks.deliveries')}
        </button>
        <button class="quiet danger" @click=${() => void this.#delete(webhook)}>${this.say('action.delete')}</button>
      </td>
    </tr>`;
  }

  #deliveries({ webhook, deliveries }: Opened) {
    const heads = ['time', 'event', 'attempt', 'result'] as const;
    return html`<section>
      <div class="head">
        <h2>${this.say('webhooks.deliveriesTo', { url: webhook.url })}</h2>
        <button @click=${() => void this.#open(webhook)}>${this.say('action.refresh')}</button>
      </div>
      ${
        deliveries.length === 0
          ? html`<p class="muted">${this.say('webhooks.noDeliveries')}</p>`
          : html`<div class="table" tabindex="0" role="region" aria-label=${this.say('webhooks.deliveries')}>
              <table>
                <thead>
                  <tr>
                    ${heads.map((head) => html`<th>${this.say(`webhooks.${head}`)}</th>`)}
                  </tr>
                </thead>
                <tbody>
                  ${deliveries.map((delivery) => this.#delivery(delivery))}
                </tbody>
              </table>
            </div>`
      }
    </section>`;
  }

  #delivery({ timestamp, eventType, attempt, success, statusCode, error }: Delivery) {
    return html`<tr>
      <td>${new Date(timestamp).toLocaleString(this.lang || undefined)}</td>
      <td>${eventType}</td>
      <td>${attempt}</td>
      <td class=${success ? 'wide good' : 'wide off'}>${error ?? statusCode ?? '–'}</td>
    </tr>`;
  }

  async #create(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const field = fieldsOf(form);
    const eventTypes = new FormData(form).getAll('event').map(String);
    await this.#do(async (server) => {
      this.minted = await createWebhook(server, {
        url: field('url'),
        // None chosen means what it says in the form: all.
        eventTypes: eventTypes.length === 0 ? EVENT_TYPES : eventTypes,
        ...(field('sandbox') === '' ? {} : { sandboxId: field('sandbox') }),
        ...(field('namespace') === '' ? {} : { namespace: field('namespace') }),
      });
      form.reset();
    });
  }

  async #delete(webhook: Webhook): Promise<void> {
    if (!globalThis.confirm(this.say('webhooks.confirmDelete', { url: webhook.url }))) return;
    await this.#do(async (server) => {
      await deleteWebhook(server, webhook);
      if (this.opened?.webhook.id === webhook.id) this.opened = undefined;
      if (this.minted?.id === webhook.id) this.minted = undefined;
    });
  }

  async #do(action: (server: Server) => Promise<void>): Promise<void> {
    this.problem = await this.attempt(action);
    if (this.problem === undefined) this.tell('agenttier-webhooks-changed');
    await this.#webhooks.reload();
  }

  async #toggle(webhook: Webhook): Promise<void> {
    if (this.opened?.webhook.id === webhook.id) this.opened = undefined;
    else await this.#open(webhook);
  }

  async #open(webhook: Webhook): Promise<void> {
    this.problem = await this.attempt(async (server) => {
      this.opened = { webhook, deliveries: await listDeliveries(server, webhook) };
    });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-webhooks': AgentTierWebhooks;
  }
}
