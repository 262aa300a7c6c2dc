// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { fieldsOf } from '../../controllers/fields.ts';
import { ResourceController } from '../../controllers/resource.ts';
import { exportAuditEvents, listAuditEvents } from '../../data/audit.ts';
import type { AuditEvent, AuditFilter, AuditFormat, AuditPage } from '../../data/audit.ts';
import type { Problem } from '../../data/problem.ts';
import { AgentTierElement } from '../../element.ts';
import { saveFile } from '../../parts/saveFile.ts';
import { refusal, shown } from '../../parts/states.ts';
import type { Say } from '../../parts/states.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';
import { sinceText } from '../../text/time.ts';
import { styles } from './activity-log.styles.ts';
import { filterOf } from './filter.ts';

/**
 * Who did what, the newest first, filtered by the server: everything for administrators, for others what concerns them.
 * With `sandbox-id` it is about that sandbox alone, with `namespace` about that namespace.
 */
@customElement('agenttier-activity-log')
export class AgentTierActivityLog extends AgentTierElement {
  static override styles = [baseStyles, controlStyles, tableStyles, styles];

  @property({ attribute: 'sandbox-id' }) sandboxId = '';
  @state() private filter: AuditFilter = {};
  /** Pages after the first. */
  @state() private older: readonly AuditPage[] = [];
  @state() private problem: Problem | undefined;
  @state() private fetching = false;

  readonly #newest = new ResourceController<AuditPage>(this, {
    server: () => this.source,
    load: async (server, signal) => {
      const page = await listAuditEvents(server, this.#asked, undefined, signal);
      // Pages after a first one that has changed would leave gaps or say things twice.
      this.older = [];
      return page;
    },
    follows: [],
  });
  readonly #say: Say = (key, params) => this.say(key, params);

  get #asked(): AuditFilter {
    return {
      ...this.filter,
      ...(this.sandboxId === '' ? {} : { sandbox: this.sandboxId }),
      ...(this.namespace === '' ? {} : { namespace: this.namespace }),
    };
  }

  /** Asks the server now, from the newest on. */
  refresh(): Promise<void> {
    return this.#newest.reload();
  }

  /** Saves all that the filter lets through. */
  async export(format: AuditFormat): Promise<void> {
    this.problem = await this.attempt(async (server) =>
      saveFile(await exportAuditEvents(server, this.#asked, format), `audit.${format}`),
    );
  }

  protected override render() {
    return html`
      ${this.#form()} ${refusal(this.problem)}
      ${shown(this.#say, this.#newest, (newest) => this.#pages([newest, ...this.older]))}
    `;
  }

  #form() {
    const types = [...new Set(this.#newest.value?.events.map(({ eventType }) => eventType))].toSorted();
    return html`<form
      class="row"
      aria-label=${this.say('activity.filters')}
      @submit=${(event: SubmitEvent) => this.#find(event)}
      @reset=${() => this.#look({})}
    >
      ${this.sandboxId === '' ? this.#field('activity.sandbox', 'sandbox') : nothing}
      ${this.namespace === '' ? this.#field('create.namespace', 'namespace') : nothing}
      ${this.#field('activity.user', 'user')}
      <label>
        ${this.say('activity.type')}<input name="type" list="types" autocomplete="off" />
        <datalist id="types">${types.map((type) => html`<option value=${type}></option>`)}</datalist>
      </label>
      <label>${this.say('activity.from')}<input name="from" type="datetime-local" /></label>
      <label>${this.say('activity.to')}<input name="to" type="datetime-local" /></label>
      <div class="bar">
        <button class="primary">${this.say('activity.find')}</button>
        <button type="reset">${this.say('activity.clear')}</button>
      </div>
    </form>`;
  }

  #field(text: 'activity.sandbox' | 'create.namespace' | 'activity.user', name: string) {
    return html`<label>${this.say(text)}<input name=${name} autocomplete="off" spellcheck="false" /></label>`;
  }

  #find(event: SubmitEvent): void {
    event.preventDefault();
    this.#look(filterOf(fieldsOf(event.target as HTMLFormElement)));
  }

  #look(filter: AuditFilter): void {
    this.filter = filter;
    void this.#newest.reload();
  }

  #pages(pages: readonly AuditPage[]) {
    const events = pages.flatMap((page) => page.events);
    const next = pages.at(-1)?.continue;
    return html`
      <div class="bar">
        <span class="muted" role="status">${this.say('activity.shown', { count: events.length })}</span>
        <button @click=${() => void this.refresh()}>${this.say('action.refresh')}</button>
        <button @click=${() => void this.export('csv')}>${this.say('activity.csv')}</button>
        <button @click=${() => void this.export('ndjson')}>${this.say('activity.ndjson')}</button>
      </div>
      ${events.length === 0 ? this.#none() : this.#table(events)}
      ${
        next === undefined
          ? nothing
          : html`<button class="more" ?disabled=${this.fetching} @click=${() => void this.#more(next)}>
              ${this.say('activity.more')}
            </button>`
      }
    `;
  }

  #none() {
    const filtered = Object.keys(this.filter).length > 0;
    return html`<p class="empty muted">${this.say(filtered ? 'activity.noMatch' : 'activity.none')}</p>`;
  }

  #table(events: readonly AuditEvent[]) {
    const heads = ['time', 'type', 'object', 'user', 'outcome', 'details'] as const;
    return html`<div class="table" tabindex="0" role="region" aria-label=${this.say('activity.title')}>
      <table>
        <thead>
          <tr>
            ${heads.map((head) => html`<th>${this.say(`activity.${head}`)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${events.map((event) => this.#row(event))}
        </tbody>
      </table>
    </div>`;
  }

  #row({ timestamp, eventType, resource, namespace, name, userEmail, user, outcome, details }: AuditEvent) {
    return html`<tr>
      <td>
        <time datetime=${timestamp} title=${sinceText(timestamp, this.lang)}>
          ${new Date(timestamp).toLocaleString(this.lang || undefined)}
        </time>
      </td>
      <td>${eventType}</td>
      <td>${namespace ? `${namespace}/` : ''}${name} <small class="muted">${resource}</small></td>
      <td>${userEmail || user || '–'}</td>
      <td class=${outcome}>${outcome || '–'}</td>
      <td class="wide">${details.reason || '–'}</td>
    </tr>`;
  }

  async #more(next: string): Promise<void> {
    const { value } = this.#newest;
    this.fetching = true;
    this.problem = await this.attempt(async (server) => {
      const page = await listAuditEvents(server, this.#asked, next);
      if (this.#newest.value === value) this.older = [...this.older, page];
    });
    this.fetching = false;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-activity-log': AgentTierActivityLog;
  }
}
