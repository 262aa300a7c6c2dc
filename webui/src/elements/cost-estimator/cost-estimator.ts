// SPDX-License-Identifier: Apache-2.0
import { css, html } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { ResourceController } from '../../controllers/resource.ts';
import { exportCosts, getCosts } from '../../data/analytics.ts';
import type { Costs } from '../../data/analytics.ts';
import type { Problem } from '../../data/problem.ts';
import { AgentTierElement } from '../../element.ts';
import { bar, figureStyles, tile } from '../../parts/figures.ts';
import { saveFile } from '../../parts/saveFile.ts';
import { refusal, shown } from '../../parts/states.ts';
import type { Say } from '../../parts/states.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';
import { moneyText, shareOf } from '../../text/numbers.ts';

type Line = Omit<Costs['per_user'][number], 'user'> & { readonly name: string };

/**
 * What sandboxes cost by the rates of the installation: an hour, a month, so far; by template, person and namespace. For
 * administrators.
 *
 * @csspart tiles - the numbers at a glance
 */
@customElement('agenttier-cost-estimator')
export class AgentTierCostEstimator extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    tableStyles,
    figureStyles,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.25rem;
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 0.75rem;
      }
      .panels {
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 32rem), 1fr));
      }
      td.wide {
        width: 100%;
        min-width: 8rem;
      }
      td.wide svg {
        margin-block-start: 0.25rem;
      }
    `,
  ];

  @state() private problem: Problem | undefined;
  readonly #costs = new ResourceController<Costs>(this, {
    server: () => this.source,
    load: (server, signal) => getCosts(server, this.namespace, signal),
    follows: ['sandbox'],
  });
  readonly #say: Say = (key, params) => this.say(key, params);

  /** Asks the server now. */
  refresh(): Promise<void> {
    return this.#costs.reload();
  }

  /** Saves a table with a line for each sandbox. */
  async download(): Promise<void> {
    this.problem = await this.attempt(async (server) =>
      saveFile(await exportCosts(server, this.namespace), 'costs.csv'),
    );
  }

  protected override render() {
    return shown(
      this.#say,
      this.#costs,
      (costs) => html`
      ${refusal(this.problem)} ${this.#tiles(costs)} ${this.#head(costs)}
      ${
        costs.running_sandboxes + costs.stopped_sandboxes === 0
          ? html`<p class="empty muted">${this.say('costs.none')}</p>`
          : this.#tables(costs)
      }
    `,
    );
  }

  #tiles(costs: Costs) {
    const money = (value: number): string => moneyText(value, costs.currency, this.lang);
    return html`<dl class="tiles" part="tiles">
      ${tile(this.say('costs.monthly'), money(costs.total_estimated_monthly))}
      ${tile(this.say('costs.compute'), money(costs.total_hourly_compute))}
      ${tile(this.say('costs.storage'), money(costs.total_hourly_storage))}
      ${tile(this.say('costs.toDate'), money(costs.total_cost_to_date))}
      ${tile(this.say('costs.running'), costs.running_sandboxes)}
      ${tile(this.say('costs.stopped'), costs.stopped_sandboxes)}
    </dl>`;
  }

  #head({ currency, rates }: Costs) {
    const money = (value: number): string => moneyText(value, currency, this.lang);
    const text = this.say('costs.rates', {
      cpu: money(rates.cpu_hour),
      memory: money(rates.memory_gib_hour),
      storage: money(rates.storage_gib_month),
    });
    return html`<div class="head">
      <p class="muted">${text}</p>
      <button @click=${() => void this.download()}>${this.say('costs.csv')}</button>
    </div>`;
  }

  #tables({ currency, per_template, per_user, per_namespace }: Costs) {
    const named = [
      ['costs.perTemplate', per_template.map(({ template: name, ...line }) => ({ name, ...line }))],
      ['costs.perUser', per_user.map(({ user: name, ...line }) => ({ name, ...line }))],
      ['costs.perNamespace', per_namespace.map(({ namespace: name, ...line }) => ({ name, ...line }))],
    ] as const;
    return html`<div class="panels">
      ${named.map(
        ([title, lines]) => html`<section>
          <h2>${this.say(title)}</h2>
          ${this.#table(this.say(title), lines, currency)}
        </section>`,
      )}
    </div>`;
  }

  #table(title: string, lines: readonly Line[], currency: string) {
    const dearest = Math.max(0, ...lines.map(({ cost_to_date }) => cost_to_date));
    return html`<div class="table" tabindex="0" role="region" aria-label=${title}>
      <table>
        <thead>
          <tr>
            <th><span class="visually-hidden">${title}</span></th>
            <th class="figure">${this.say('costs.sandboxes')}</th>
            <th class="figure">${this.say('costs.hourly')}</th>
            <th class="figure">${this.say('costs.toDate')}</th>
          </tr>
        </thead>
        <tbody>
          ${lines.map(
            ({ name, count, hourly_cost, cost_to_date }) => html`<tr>
              <td class="wide">
                ${name === '_none' ? this.say('metrics.noTemplate') : name}${bar(shareOf(cost_to_date, dearest))}
              </td>
              <td class="figure">${count}</td>
              <td class="figure">${moneyText(hourly_cost, currency, this.lang)}</td>
              <td class="figure">${moneyText(cost_to_date, currency, this.lang)}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-cost-estimator': AgentTierCostEstimator;
  }
}
