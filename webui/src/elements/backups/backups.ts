// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { ResourceController } from '../../controllers/resource.ts';
import { createBackup, deleteBackup, listBackups, restoreBackup } from '../../data/backups.ts';
import type { Backup } from '../../data/backups.ts';
import type { Problem } from '../../data/problem.ts';
import type { Server } from '../../data/server.ts';
import { AgentTierElement } from '../../element.ts';
import { actionTable } from '../../parts/table.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';
import { sinceText } from '../../text/time.ts';

/**
 * The snapshots of a sandbox's workspace, and new sandboxes made of them.
 *
 * @fires agenttier-backup-created - one was asked for
 * @fires agenttier-backup-restored - `detail` is the new sandbox
 */
@customElement('agenttier-backups')
export class AgentTierBackups extends AgentTierElement {
  static override styles = [baseStyles, controlStyles, tableStyles];

  @property({ attribute: 'sandbox-id' }) sandboxId = '';
  @state() private problem: Problem | undefined;
  @state() private restored = '';

  readonly #backups = new ResourceController<readonly Backup[]>(this, {
    server: () => this.source,
    load: (server, signal) => listBackups(server, this.#key, signal),
    follows: ['sandbox'],
  });

  get #key() {
    return { sandboxId: this.sandboxId, namespace: this.namespace };
  }

  protected override render() {
    const { value, error } = this.#backups;
    if (value === undefined)
      return html`<p class="muted" role="status">${error?.message ?? this.say('state.loading')}</p>`;
    return html`<section>
      ${this.problem ? html`<p class="note bad" role="alert">${this.problem.message}</p>` : nothing}
      ${this.restored ? html`<p class="note" role="status">${this.say('backup.restored', { name: this.restored })}</p>` : nothing}
      <div>
        <button class="primary" @click=${() => void this.#create()}>${this.say('backup.create')}</button>
      </div>
      ${value.length === 0 ? html`<p class="muted">${this.say('backup.none')}</p>` : this.#table(value)}
    </section>`;
  }

  #table(backups: readonly Backup[]) {
    return actionTable({
      label: this.say('backup.title'),
      heads: [this.say('backup.name'), this.say('backup.made'), this.say('backup.state')],
      action: this.say('backup.restore'),
      rows: backups.map((backup) => this.#row(backup)),
    });
  }

  #row({ name, createdAt, readyToUse, error }: Backup) {
    return html`<tr>
      <td class="wide mono">${name}</td>
      <td>${createdAt === undefined ? '–' : sinceText(createdAt, this.lang)}</td>
      <td>${error ?? this.say(readyToUse ? 'backup.ready' : 'backup.making')}</td>
      <td class="do">
        <button ?disabled=${!readyToUse} @click=${() => void this.#restore(name)}>${this.say('backup.restore')}</button>
        <button class="quiet danger" @click=${() => void this.#do((server) => deleteBackup(server, this.#key, name))}>
          ${this.say('action.delete')}
        </button>
      </td>
    </tr>`;
  }

  async #create(): Promise<void> {
    await this.#do((server) => createBackup(server, this.#key));
    if (this.problem === undefined) this.tell('agenttier-backup-created');
  }

  async #restore(name: string): Promise<void> {
    await this.#do(async (server) => {
      const made = await restoreBackup(server, this.#key, name, '');
      this.restored = made.name;
      this.tell('agenttier-backup-restored', made);
    });
  }

  async #do(action: (server: Server) => Promise<void>): Promise<void> {
    this.problem = await this.attempt(action);
    await this.#backups.reload();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-backups': AgentTierBackups;
  }
}
