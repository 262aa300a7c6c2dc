// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { fieldsOf } from '../../controllers/fields.ts';
import { ResourceController } from '../../controllers/resource.ts';
import { createApiKey, listApiKeys, revokeApiKey } from '../../data/apiKeys.ts';
import type { ApiKey, MintedKey } from '../../data/apiKeys.ts';
import type { Problem } from '../../data/problem.ts';
import type { Server } from '../../data/server.ts';
import { AgentTierElement } from '../../element.ts';
import { actionTable } from '../../parts/table.ts';
import { baseStyles } from '../../styles/base.ts';

import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';
import { sinceText } from '../../text/time.ts';

/**
 * The person's API keys. A new one is shown once.
 *
 * @fires agenttier-api-keys-changed - one was made or revoked
 */
@customElement('agenttier-api-keys')
export class AgentTierApiKeys extends AgentTierElement {
  static override styles = [baseStyles, controlStyles, tableStyles];

  @state() private problem: Problem | undefined;
  @state() private minted: MintedKey | undefined;

  readonly #keys = new ResourceController<readonly ApiKey[]>(this, {
    server: () => this.source,
    load: listApiKeys,
    follows: ['key'],
  });

  protected override render() {
    const { value, error } = this.#keys;
    if (value === undefined)
      return html`<p class="muted" role="status">${error?.message ?? this.say('state.loading')}</p>`;
    return html`<section>
      ${this.problem ? html`<p class="note bad" role="alert">${this.problem.message}</p>` : nothing}
      ${
        this.minted
          ? html`<div class="note warn" role="status">
            <span>${this.say('key.once')}</span><code class="mono">${this.minted.key}</code>
          </div>`
          : nothing
      }
      <form class="row" @submit=${(event: SubmitEvent) => void this.#create(event)}>
        <label>${this.say('key.name')}<input name="name" autocomplete="off" placeholder=${this.say('key.nameHint')} /></label>
        <label>${this.say('key.expiresIn')}<input name="expiresIn" autocomplete="off" placeholder="720h" /></label>
        <button class="primary">${this.say('key.create')}</button>
      </form>
      ${value.length === 0 ? html`<p class="muted">${this.say('key.none')}</p>` : this.#table(value)}
    </section>`;
  }

  #table(keys: readonly ApiKey[]) {
    return actionTable({
      label: this.say('key.title'),
      heads: [this.say('key.name'), this.say('key.for'), this.say('card.created'), this.say('share.until')],
      action: this.say('share.revoke'),
      rows: keys.map((key) => this.#row(key)),
    });
  }

  #row({ id, name, sandboxId, createdAt, expiresAt }: ApiKey) {
    return html`<tr>
      <td class="wide">${name || id}</td>
      <td>${sandboxId ?? this.say('key.everything')}</td>
      <td>${sinceText(createdAt, this.lang)}</td>
      <td>${expiresAt === undefined ? '–' : new Date(expiresAt).toLocaleString()}</td>
      <td class="do">
        <button class="quiet danger" @click=${() => void this.#do((server) => revokeApiKey(server, id))}>
          ${this.say('share.revoke')}
        </button>
      </td>
    </tr>`;
  }

  async #create(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const field = fieldsOf(form);
    await this.#do(async (server) => {
      this.minted = await createApiKey(server, {
        ...(field('name') === '' ? {} : { name: field('name') }),
        ...(field('expiresIn') === '' ? {} : { expiresIn: field('expiresIn') }),
      });
      form.reset();
    });
  }

  async #do(action: (server: Server) => Promise<void>): Promise<void> {
    this.problem = await this.attempt(action);
    if (this.problem === undefined) this.tell('agenttier-api-keys-changed');
    await this.#keys.reload();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-api-keys': AgentTierApiKeys;
  }
}
