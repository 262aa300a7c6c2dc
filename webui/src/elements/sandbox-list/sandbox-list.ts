// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import { ResourceController } from '../../controllers/resource.ts';
import { actOnSandboxes, listSandboxes } from '../../data/sandboxes.ts';
import type { BulkAction, Phase, Sandbox } from '../../data/sandboxes.ts';
import { currentUser } from '../../data/user.ts';
import type { User } from '../../data/user.ts';
import type { BulkResultDetail } from '../../details.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import '../sandbox-card/sandbox-card.ts';
import '../status-badge/status-badge.ts';
import { sandboxTable } from './sandbox-table.ts';
import { styles } from './sandbox-list.styles.ts';
import { fitting, keyOf, naturalOrder, select, SORT_KEYS } from './selection.ts';
import type { Order, SortKey } from './selection.ts';
import { Sight } from './sight.ts';
import { rememberedView, rememberView } from './view.ts';
import type { View } from './view.ts';

const PHASES: readonly Phase[] = ['Running', 'Creating', 'Stopped', 'Error', 'Deleting'];
const BULK: readonly BulkAction[] = ['stop', 'resume', 'delete'];
const TOLD = { stop: 'list.stopped', resume: 'list.resumed', delete: 'list.deleted' } as const;

/**
 * The sandboxes that the person may see, as cards or in a table, kept current by the server.
 *
 * @fires agenttier-sandbox-open - the person wants a terminal or the settings, `detail.target` says which
 * @fires agenttier-bulk-result - something was done to many; `detail.outcomes` says how it went with each
 * @slot empty - shown when there is no sandbox at all
 * @csspart grid - the cards
 * @csspart table - the rows
 */
@customElement('agenttier-sandbox-list')
export class AgentTierSandboxList extends AgentTierElement {
  static override styles = [baseStyles, controlStyles, styles];

  /** Words to filter by, as the person typed them. */
  @property() filter = '';
  @property() status: Phase | '' = '';
  /** Cards or rows; what the person chooses is remembered in the tab. */
  @property() view: View = rememberedView();
  @property() sort: SortKey = 'created';
  @property() order: Order = 'descending';
  @state() private shown: readonly Sandbox[] = [];
  @state() private chosen: ReadonlySet<string> = new Set();
  @state() private acting = false;
  @state() private result: BulkResultDetail | undefined;

  readonly #sandboxes = new ResourceController<readonly Sandbox[]>(this, {
    server: () => this.source,
    load: listSandboxes,
    follows: ['sandbox'],
  });
  /** Only to mark what is not the person's own; the list does without. */
  readonly #me = new ResourceController<User>(this, {
    server: () => this.source,
    load: currentUser,
    follows: [],
  });

  readonly #sight = new Sight();
  #shownOf: readonly unknown[] = [];
  #drawsSoon = false;

  /** Asks the server now. */
  refresh(): Promise<void> {
    return this.#sandboxes.reload();
  }

  protected override willUpdate(): void {
    const { filter: text, status: phase, namespace, sort, order } = this;
    const { value } = this.#sandboxes;
    const of = [value, text, phase, namespace, sort, order];
    // A thousand take a while to sort, and most drawings are of the same.
    if (of.every((one, at) => one === this.#shownOf[at])) return;
    this.#shownOf = of;
    this.shown = select(value ?? [], { text, phase, namespace, sort, order });
  }

  /** Only what is in sight: nothing is done to a sandbox that a filter hides. */
  get #selected(): readonly Sandbox[] {
    return this.shown.filter((sandbox) => this.chosen.has(keyOf(sandbox)));
  }

  /** Administrators see everybody's: nothing of it is shared with them. */
  readonly #shared = ({ createdBy }: Sandbox): boolean => {
    const me = this.#me.value;
    return me !== undefined && !me.isAdmin && createdBy?.sub !== me.sub;
  };

  protected override render() {
    const { value, error, waiting } = this.#sandboxes;
    if (waiting) return html`<p class="muted" role="status">${this.say('state.loading')}</p>`;
    if (value === undefined) return this.#failed(error?.message ?? '');
    return html`
      ${error ? html`<p class="note warn" role="status">${this.say('state.stale', { message: error.message })}</p>` : nothing}
      ${
        value.length === 0
          ? html`${this.#outcome()} ${this.#empty()}`
          : html`${this.#bar(value.length)} ${this.#bulkBar()} ${this.#outcome()} ${this.#list(value.length)}`
      }
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
      <select
        aria-label=${this.say('list.sort')}
        @change=${(event: Event) => this.#sortBy((event.target as HTMLSelectElement).value as SortKey)}
      >
        ${SORT_KEYS.map(
          (key) =>
            html`<option value=${key} ?selected=${this.sort === key}>${this.say(`sort.${key}`)}</option>`,
        )}
      </select>
      <span class="views" role="group" aria-label=${this.say('list.view')}>
        ${this.#viewButton('grid', 'list.cards')} ${this.#viewButton('table', 'list.table')}
      </span>
      <span class="muted" role="status">${this.say('list.count', { shown: this.shown.length, count })}</span>
    </div>`;
  }

  #viewButton(view: View, text: 'list.cards' | 'list.table') {
    const choose = (): void => {
      this.view = view;
      rememberView(view);
    };
    return html`<button aria-pressed=${this.view === view} @click=${choose}>${this.say(text)}</button>`;
  }

  #sortBy(key: SortKey): void {
    this.order = naturalOrder(key);
    this.sort = key;
  }

  /** A column that is sorted by already turns around. */
  #turn(key: SortKey): void {
    if (this.sort !== key) return this.#sortBy(key);
    this.order = this.order === 'ascending' ? 'descending' : 'ascending';
  }

  #bulkBar() {
    if (this.shown.length === 0) return nothing;
    const selected = this.#selected;
    const all = selected.length === this.shown.length;
    const chooseAll = (): void => void (this.chosen = new Set(all ? [] : this.shown.map(keyOf)));
    return html`<div class="bar" role="group" aria-label=${this.say('list.actions')}>
      <label>
        <input
          type="checkbox"
          .checked=${all}
          .indeterminate=${!all && selected.length > 0}
          @change=${chooseAll}
        />
        ${this.say('list.selectAll')}
      </label>
      ${selected.length === 0 ? nothing : this.#bulkButtons(selected)}
    </div>`;
  }

  #bulkButtons(selected: readonly Sandbox[]) {
    return html`<span role="status">${this.say(this.acting ? 'list.acting' : 'list.selected', { count: selected.length })}</span>
      ${BULK.map((action) => {
        const some = fitting(action, selected);
        return html`<button
          class=${action === 'delete' ? 'danger' : ''}
          ?disabled=${this.acting || some.length === 0}
          @click=${() => void this.#act(action, some)}
        >
          ${this.say(`list.${action}`, { count: some.length })}
        </button>`;
      })}
      <button class="quiet" @click=${() => (this.chosen = new Set())}>${this.say('list.unselect')}</button>`;
  }

  async #act(action: BulkAction, sandboxes: readonly Sandbox[]): Promise<void> {
    const count = sandboxes.length;
    if (action === 'delete' && !globalThis.confirm(this.say('list.confirmDelete', { count }))) return;
    this.acting = true;
    await this.attempt(async (server) => {
      this.result = { action, outcomes: await actOnSandboxes(server, action, sandboxes) };
      // What was refused stays selected, so that it can be tried again.
      this.chosen = new Set(
        this.result.outcomes.filter(({ error }) => error).map((one) => keyOf(one.sandbox)),
      );
      this.tell('agenttier-bulk-result', this.result);
    });
    this.acting = false;
    await this.refresh();
  }

  #outcome() {
    if (this.result === undefined) return nothing;
    const { action, outcomes } = this.result;
    const done = outcomes.filter(({ error }) => error === undefined).length;
    const count = outcomes.length;
    return html`<div class="note outcome ${done < count ? 'bad' : ''}" role="status">
      <span>${this.say(TOLD[action], { done, count })}</span>
      <ul tabindex="0" aria-label=${this.say('list.sandboxes')}>
        ${outcomes.map(
          ({ sandbox, error }) => html`<li class=${error ? 'no' : ''}>
            <b>${sandbox.name}</b> (${sandbox.namespace}): ${error ?? this.say('list.accepted')}
          </li>`,
        )}
      </ul>
      <span><button @click=${() => (this.result = undefined)}>${this.say('list.close')}</button></span>
    </div>`;
  }

  #list(count: number) {
    if (this.shown.length === 0) {
      return html`<div class="empty">
        <h2>${this.say('list.noMatch')}</h2>
        <p class="muted">${this.say('list.noMatchHint', { count })}</p>
        <button @click=${() => ((this.filter = ''), (this.status = ''))}>${this.say('list.clear')}</button>
      </div>`;
    }
    return this.view === 'table' ? this.#table() : this.#cards();
  }

  #table() {
    const { lang, theme, sort, order } = this;
    return sandboxTable(this.shown, {
      lang,
      theme,
      sort,
      order,
      shared: this.#shared,
      draws: (sandbox, at) => this.#sight.draws(keyOf(sandbox), at),
      see: (event) => this.#see(event),
      chosen: (sandbox) => this.chosen.has(keyOf(sandbox)),
      checkbox: (sandbox) => this.#checkbox(sandbox),
      say: (key) => this.say(key),
      sortBy: (key) => this.#turn(key),
      open: (sandbox, target) => void this.tell('agenttier-sandbox-open', { sandbox, target }),
    });
  }

  #checkbox(sandbox: Sandbox) {
    const key = keyOf(sandbox);
    const toggle = (event: Event): void => {
      const chosen = new Set(this.chosen);
      if ((event.target as HTMLInputElement).checked) chosen.add(key);
      else chosen.delete(key);
      this.chosen = chosen;
    };
    return html`<input
      type="checkbox"
      slot="select"
      aria-label=${this.say('list.select', { name: sandbox.name })}
      .checked=${this.chosen.has(key)}
      @change=${toggle}
    />`;
  }

  #cards() {
    return html`<ul class="grid" part="grid" @contentvisibilityautostatechange=${(event: Event) => this.#see(event)}>
      ${repeat(
        this.shown,
        keyOf,
        (sandbox, at) => html`<li
          class=${this.chosen.has(keyOf(sandbox)) ? 'chosen' : ''}
          data-key=${keyOf(sandbox)}
        >
          ${this.#sight.draws(keyOf(sandbox), at) ? this.#card(sandbox) : this.#later(sandbox)}
        </li>`,
      )}
    </ul>`;
  }

  #card(sandbox: Sandbox) {
    return html`<agenttier-sandbox-card
      .sandbox=${sandbox}
      .server=${this.source}
      ?shared=${this.#shared(sandbox)}
      theme=${this.theme}
      lang=${this.lang}
      >${this.#checkbox(sandbox)}</agenttier-sandbox-card
    >`;
  }

  /** In the place of a card that nobody sees yet: what is searched for in the page, and read out. */
  #later({ name, status }: Sandbox) {
    return html`<h3>${name}</h3>
      <span>${this.say(`phase.${status}`)}</span>`;
  }

  /** Each item tells by an event of its own, and Lit draws after each: one drawing in the next frame is for all of them. */
  #see(event: Event): void {
    if (!this.#sight.take(event)) return;
    if (this.#drawsSoon) return;
    this.#drawsSoon = true;
    requestAnimationFrame(() => {
      this.#drawsSoon = false;
      this.requestUpdate();
    });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-sandbox-list': AgentTierSandboxList;
  }
}
