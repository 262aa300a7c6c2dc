// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { fieldsOf } from '../../controllers/fields.ts';
import { ResourceController } from '../../controllers/resource.ts';
import type { Problem } from '../../data/problem.ts';
import type { Server } from '../../data/server.ts';
import { createShareLink, deleteShareLink, getSharing, grantShare, revokeShare } from '../../data/sharing.ts';
import type { Level, ShareLink, Sharing } from '../../data/sharing.ts';
import { AgentTierElement } from '../../element.ts';
import { actionTable } from '../../parts/table.ts';
import { baseStyles } from '../../styles/base.ts';

import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';

/** 0 = as often as anybody likes. */
const used = (count: number, most: number): string => (most === 0 ? String(count) : `${count} / ${most}`);

const LEVELS: readonly Level[] = ['viewer', 'collaborator'];

/**
 * Who else may use a sandbox, and the links by which others come in.
 *
 * @fires agenttier-share-changed - something was granted or taken away
 */
@customElement('agenttier-sharing')
export class AgentTierSharing extends AgentTierElement {
  static override styles = [baseStyles, controlStyles, tableStyles];

  @property({ attribute: 'sandbox-id' }) sandboxId = '';
  @state() private problem: Problem | undefined;
  @state() private minted: ShareLink | undefined;

  readonly #sharing = new ResourceController<Sharing>(this, {
    server: () => this.source,
    load: (server, signal) => getSharing(server, this.#key, signal),
    follows: ['sandbox'],
  });

  get #key() {
    return { sandboxId: this.sandboxId, namespace: this.namespace };
  }

  protected override render() {
    const { value, error } = this.#sharing;
    if (value === undefined)
      return html`<p class="muted" role="status">${error?.message ?? this.say('state.loading')}</p>`;
    return html`<section>
      ${this.problem ? html`<p class="note bad" role="alert">${this.problem.message}</p>` : nothing}
      ${this.#people(value)} ${this.#grantForm()}
      <h3>${this.say('share.links')}</h3>
      ${this.#mintedNote()} ${this.#links(value)} ${this.#linkForm()}
    </section>`;
  }

  #people({ users, groups }: Sharing) {
    const rows = [
      ...users.map((user) => ({ ...user, kind: 'user' as const })),
      ...groups.map((group) => ({ ...group, kind: 'group' as const })),
    ];
    if (rows.length === 0) return html`<p class="muted">${this.say('share.nobody')}</p>`;
    return actionTable({
      label: this.say('share.people'),
      heads: [this.say('share.identity'), this.say('share.kind'), this.say('share.level')],
      action: this.say('share.revoke'),
      rows: rows.map(
        ({ identity, kind, level }) => html`<tr>
              <td class="wide">${identity}</td>
              <td>${this.say(`share.${kind}`)}</td>
              <td>${this.say(`share.${level}`)}</td>
              <td class="do">
                <button
                  class="quiet danger"
                  @click=${() => void this.#do((server) => revokeShare(server, this.#key, identity))}
                >
                  ${this.say('share.revoke')}
                </button>
              </td>
            </tr>`,
      ),
    });
  }

  #grantForm() {
    return html`<form class="row" @submit=${(event: SubmitEvent) => void this.#grant(event)}>
      <label>${this.say('share.identity')}<input name="identity" required autocomplete="off" /></label>
      <label>
        ${this.say('share.kind')}
        <select name="kind">
          <option value="user">${this.say('share.user')}</option>
          <option value="group">${this.say('share.group')}</option>
        </select>
      </label>
      ${this.#levelField()}
      <button class="primary">${this.say('share.grant')}</button>
    </form>`;
  }

  #levelField() {
    return html`<label>
      ${this.say('share.level')}
      <select name="level">
        ${LEVELS.map((level) => html`<option value=${level}>${this.say(`share.${level}`)}</option>`)}
      </select>
    </label>`;
  }

  #mintedNote() {
    if (this.minted === undefined) return nothing;
    return html`<div class="note warn" role="status">
      <span>${this.say('share.once')}</span>
      <code class="mono">${this.minted.token}</code>
    </div>`;
  }

  #links({ shareLinks }: Sharing) {
    if (shareLinks.length === 0) return nothing;
    return actionTable({
      label: this.say('share.links'),
      heads: [this.say('share.level'), this.say('share.used'), this.say('share.until')],
      action: this.say('action.delete'),
      rows: shareLinks.map(
        ({ id, level, usedCount, maxUses, expiresAt }) => html`<tr>
              <td>${this.say(`share.${level}`)}</td>
              <td>${used(usedCount, maxUses)}</td>
              <td>${expiresAt === null ? '–' : new Date(expiresAt).toLocaleString()}</td>
              <td class="do">
                <button
                  class="quiet danger"
                  @click=${() => void this.#do((server) => deleteShareLink(server, this.#key, id))}
                >
                  ${this.say('action.delete')}
                </button>
              </td>
            </tr>`,
      ),
    });
  }

  #linkForm() {
    return html`<form class="row" @submit=${(event: SubmitEvent) => void this.#mint(event)}>
      ${this.#levelField()}
      <label>${this.say('share.expiresIn')}<input name="expiresIn" placeholder="24h" autocomplete="off" /></label>
      <label>${this.say('share.maxUses')}<input name="maxUses" type="number" min="0" placeholder="0" /></label>
      <button>${this.say('share.newLink')}</button>
    </form>`;
  }

  async #grant(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const field = fieldsOf(form);
    const level = field('level') as Level;
    const kind = field('kind') as 'user' | 'group';
    await this.#do(
      (server) => grantShare(server, this.#key, { identity: field('identity'), level, kind }),
      form,
    );
  }

  async #mint(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const field = fieldsOf(form);
    await this.#do(async (server) => {
      this.minted = await createShareLink(server, this.#key, {
        level: field('level') as Level,
        ...(field('expiresIn') === '' ? {} : { expiresIn: field('expiresIn') }),
        ...(field('maxUses') === '' ? {} : { maxUses: Number(field('maxUses')) }),
      });
    }, form);
  }

  async #do(action: (server: Server) => Promise<void>, form?: HTMLFormElement): Promise<void> {
    this.problem = await this.attempt(action);
    if (this.problem !== undefined) return;
    form?.reset();
    this.tell('agenttier-share-changed');
    await this.#sharing.reload();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-sharing': AgentTierSharing;
  }
}
