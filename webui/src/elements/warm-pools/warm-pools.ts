// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { fieldsOf } from '../../controllers/fields.ts';
import { ResourceController } from '../../controllers/resource.ts';
import type { Problem } from '../../data/problem.ts';
import type { Server } from '../../data/server.ts';
import { listTemplates } from '../../data/templates.ts';
import { createWarmPool, deleteWarmPool, listWarmPools, resizeWarmPool } from '../../data/warmPools.ts';
import type { WarmPool } from '../../data/warmPools.ts';
import { AgentTierElement } from '../../element.ts';
import { bar, figureStyles } from '../../parts/figures.ts';
import { refusal, shown } from '../../parts/states.ts';
import type { Say } from '../../parts/states.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';
import { shareOf } from '../../text/numbers.ts';
import { boundsOf, keyOf, toneOfPool } from './pool.ts';
import { styles } from './warm-pools.styles.ts';

/**
 * Pools of prepared pods that first starts take: how full they are, and their sizes. `readonly` for people who may only
 * look on.
 *
 * @fires agenttier-warm-pools-changed - one was made, resized or deleted
 */
@customElement('agenttier-warm-pools')
export class AgentTierWarmPools extends AgentTierElement {
  static override styles = [baseStyles, controlStyles, tableStyles, figureStyles, styles];

  @property({ type: Boolean }) readonly = false;
  @state() private problem: Problem | undefined;
  /** Sizes that were typed and not yet stored, by pool: news of the server leave them alone. */
  @state() private typed: ReadonlyMap<string, string> = new Map();

  readonly #pools = new ResourceController<readonly WarmPool[]>(this, {
    server: () => this.source,
    load: (server, signal) => listWarmPools(server, this.namespace, signal),
    follows: ['warmpool'],
  });
  readonly #templates = new ResourceController<readonly string[]>(this, {
    server: () => (this.readonly ? undefined : this.source),
    load: async (server, signal) =>
      (await listTemplates(server, this.namespace, signal)).map(({ name }) => name),
    follows: ['template'],
  });
  readonly #say: Say = (key, params) => this.say(key, params);

  /** Asks the server now. */
  refresh(): Promise<void> {
    return this.#pools.reload();
  }

  protected override render() {
    return shown(
      this.#say,
      this.#pools,
      (pools) => html`
        ${refusal(this.problem)} ${this.readonly ? nothing : this.#form()}
        ${
          pools.length === 0
            ? html`<div class="empty">
                <h2>${this.say('pools.none')}</h2>
                <p class="muted">${this.say('pools.noneHint')}</p>
              </div>`
            : this.#table(pools)
        }
      `,
    );
  }

  #form() {
    return html`<form class="row" @submit=${(event: SubmitEvent) => void this.#create(event)}>
      <label>${this.say('create.name')}<input name="name" required autocomplete="off" /></label>
      ${
        this.namespace === ''
          ? html`<label>${this.say('create.namespace')}<input name="namespace" autocomplete="off" /></label>`
          : nothing
      }
      <label>
        ${this.say('create.template')}<input name="template" required list="templates" autocomplete="off" />
        <datalist id="templates">
          ${this.#templates.value?.map((name) => html`<option value=${name}></option>`)}
        </datalist>
      </label>
      <label>${this.say('pools.size')}<input name="replicas" type="number" min="0" required value="1" /></label>
      <button class="primary">${this.say('pools.create')}</button>
    </form>`;
  }

  #table(pools: readonly WarmPool[]) {
    const heads = ['pool', 'template', 'ready', 'pending', 'failed', 'claimed', 'missed', 'size'] as const;
    return html`<div class="table" tabindex="0" role="region" aria-label=${this.say('nav.pools')}>
      <table>
        <thead>
          <tr>
            ${heads.map((head) => html`<th>${this.say(`pools.${head}`)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${pools.map((pool) => this.#row(pool))}
        </tbody>
      </table>
    </div>`;
  }

  #row(pool: WarmPool) {
    const { name, namespace, template, desiredCount, readyCount, message } = pool;
    return html`<tr>
      <td class="wide">
        ${name} <small class="muted">${namespace}</small>
        ${message ? html`<small class="problem">${message}</small>` : nothing}
      </td>
      <td>${template}</td>
      <td class="ready">
        ${readyCount} / ${desiredCount}${bar(shareOf(readyCount, desiredCount), toneOfPool(pool))}
      </td>
      <td class="figure">${pool.pendingCount}</td>
      <td class="figure">${pool.failedCount}</td>
      <td class="figure">${pool.claimedTotal}</td>
      <td class="figure">${pool.missTotal}</td>
      <td>${this.#size(pool)}</td>
    </tr>`;
  }

  /** What follows demand has no size of its own. */
  #size(pool: WarmPool) {
    const bounds = boundsOf(pool);
    const text = bounds ? this.say('pools.byDemand', bounds) : String(pool.desiredCount);
    if (this.readonly) return text;
    return html`<div class="size">${bounds ? text : this.#sizeForm(pool)} ${this.#deleteButton(pool)}</div>`;
  }

  #deleteButton(pool: WarmPool) {
    return html`<button class="quiet danger" @click=${() => void this.#delete(pool)}>
      ${this.say('action.delete')}
    </button>`;
  }

  #sizeForm(pool: WarmPool) {
    const key = keyOf(pool);
    const stored = String(pool.desiredCount);
    const value = this.typed.get(key) ?? stored;
    return html`<form @submit=${(event: SubmitEvent) => void this.#resize(event, pool, Number(value))}>
      <input
        type="number"
        min="0"
        required
        aria-label=${this.say('pools.sizeOf', { name: pool.name })}
        .value=${value}
        @input=${(event: Event) => this.#type(key, (event.target as HTMLInputElement).value)}
      />
      <button ?disabled=${value === stored}>${this.say('pools.resize')}</button>
    </form>`;
  }

  #type(key: string, value: string | undefined): void {
    const others = [...this.typed].filter(([other]) => other !== key);
    this.typed = new Map(value === undefined ? others : [...others, [key, value]]);
  }

  async #create(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const field = fieldsOf(form);
    await this.#do(async (server) => {
      await createWarmPool(server, {
        name: field('name'),
        namespace: this.namespace || field('namespace'),
        template: field('template'),
        replicas: Number(field('replicas')),
      });
      form.reset();
    });
  }

  async #resize(event: SubmitEvent, pool: WarmPool, replicas: number): Promise<void> {
    event.preventDefault();
    await this.#do(async (server) => {
      await resizeWarmPool(server, pool, replicas);
      this.#type(keyOf(pool), undefined);
    });
  }

  async #delete(pool: WarmPool): Promise<void> {
    if (!globalThis.confirm(this.say('pools.confirmDelete', { name: pool.name }))) return;
    await this.#do((server) => deleteWarmPool(server, pool));
  }

  async #do(action: (server: Server) => Promise<void>): Promise<void> {
    this.problem = await this.attempt(action);
    if (this.problem === undefined) this.tell('agenttier-warm-pools-changed');
    await this.#pools.reload();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-warm-pools': AgentTierWarmPools;
  }
}
