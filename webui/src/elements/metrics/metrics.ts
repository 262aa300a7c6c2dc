// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { ResourceController } from '../../controllers/resource.ts';
import { getUsage } from '../../data/analytics.ts';
import type { StartPath, Starts, Usage } from '../../data/analytics.ts';
import { AgentTierElement } from '../../element.ts';
import { bars, figureStyles, tile } from '../../parts/figures.ts';
import { shown } from '../../parts/states.ts';
import type { Say } from '../../parts/states.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';
import { tookText } from '../../text/numbers.ts';
import { countLines, phasesInOrder, slowest, startLines, STATUS_TONES } from './lines.ts';

const PATHS: readonly StartPath[] = ['warm', 'cold', 'resume'];

/**
 * How many sandboxes there are of what, and how long their starts took. For administrators.
 *
 * @csspart tiles - the numbers at a glance
 */
@customElement('agenttier-metrics')
export class AgentTierMetrics extends AgentTierElement {
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
      .panel .table {
        background: none;
      }
    `,
  ];

  readonly #usage = new ResourceController<Usage>(this, {
    server: () => this.source,
    load: (server, signal) => getUsage(server, this.namespace, signal),
    follows: ['sandbox'],
  });
  readonly #say: Say = (key, params) => this.say(key, params);

  /** Asks the server now. */
  refresh(): Promise<void> {
    return this.#usage.reload();
  }

  protected override render() {
    return shown(this.#say, this.#usage, (usage) =>
      usage.total_sandboxes === 0
        ? html`<p class="empty muted">${this.say('metrics.empty')}</p>`
        : html`${this.#tiles(usage)} ${this.#counts(usage)} ${this.#startup(usage.startup)}`,
    );
  }

  #tiles({ total_sandboxes, status_breakdown, avg_startup_ms, startup_sample_count }: Usage) {
    const samples = this.say('metrics.samples', { count: startup_sample_count });
    return html`<dl class="tiles" part="tiles">
      ${tile(this.say('metrics.total'), total_sandboxes)}
      ${tile(this.say('phase.Running'), status_breakdown['Running'] ?? 0)}
      ${tile(this.say('phase.Stopped'), status_breakdown['Stopped'] ?? 0)}
      ${
        startup_sample_count === 0
          ? tile(this.say('metrics.average'), '–')
          : tile(this.say('metrics.average'), tookText(avg_startup_ms, this.lang), samples)
      }
    </dl>`;
  }

  #counts({ status_breakdown, template_breakdown }: Usage) {
    const status = countLines(status_breakdown, (name) =>
      name in STATUS_TONES ? this.say(`phase.${name as keyof typeof STATUS_TONES}`) : name,
    );
    const template = countLines(template_breakdown, (name) =>
      name === '_none' ? this.say('metrics.noTemplate') : name,
    );
    return html`<div class="panels">
      <section class="panel"><h2>${this.say('metrics.byStatus')}</h2>${bars(status)}</section>
      <section class="panel"><h2>${this.say('metrics.byTemplate')}</h2>${bars(template)}</section>
    </div>`;
  }

  #startup(startup: Usage['startup']) {
    const measured = PATHS.filter((path) => startup[path].count > 0);
    // One scale for all paths, so that they can be compared by eye.
    const scale = slowest(measured.map((path) => startup[path]));
    return html`<section>
      <h2>${this.say('metrics.startup')}</h2>
      <p class="muted">${this.say(measured.length === 0 ? 'metrics.noStarts' : 'metrics.startupHint')}</p>
      <div class="panels">${measured.map((path) => this.#path(path, startup[path], scale))}</div>
    </section>`;
  }

  #path(path: StartPath, starts: Starts, scale: number) {
    return html`<section class="panel">
      <h3>
        ${this.say(`metrics.${path}`)}
        <small class="muted">${this.say('metrics.samples', { count: starts.count })}</small>
      </h3>
      ${bars(startLines(starts, scale, this.lang))} ${this.#phases(path, starts)}
    </section>`;
  }

  #phases(path: StartPath, { phases }: Starts) {
    const names = phasesInOrder(phases);
    if (names.length === 0) return nothing;
    const label = this.say('metrics.phasesOf', { path: this.say(`metrics.${path}`) });
    return html`<div class="table" tabindex="0" role="region" aria-label=${label}>
      <table>
        <thead>
          <tr>
            <th>${this.say('metrics.phase')}</th>
            <th class="figure">p50</th>
            <th class="figure">p95</th>
            <th class="figure">p99</th>
          </tr>
        </thead>
        <tbody>
          ${names.map((name) => {
            const { p50_ms = 0, p95_ms = 0, p99_ms = 0 } = phases[name] ?? {};
            return html`<tr>
              <td>${name}</td>
              ${[p50_ms, p95_ms, p99_ms].map((ms) => html`<td class="figure">${tookText(ms, this.lang)}</td>`)}
            </tr>`;
          })}
        </tbody>
      </table>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-metrics': AgentTierMetrics;
  }
}
