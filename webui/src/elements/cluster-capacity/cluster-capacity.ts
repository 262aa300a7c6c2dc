// SPDX-License-Identifier: Apache-2.0
import { css, html } from 'lit';
import { customElement } from 'lit/decorators.js';
import { ResourceController } from '../../controllers/resource.ts';
import { listNodes } from '../../data/cluster.ts';
import type { ClusterNode, Nodes } from '../../data/cluster.ts';
import { AgentTierElement } from '../../element.ts';
import { bar, bars, figureStyles, tile, toneOf } from '../../parts/figures.ts';
import { shown } from '../../parts/states.ts';
import type { Say } from '../../parts/states.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';
import { bytesText, coresText, percentText, shareOf } from '../../text/numbers.ts';

type Room = Pick<ClusterNode, 'allocatable' | 'requests'>;

/**
 * The nodes: what there is of CPU and memory, and how much of it pods have asked for. For administrators.
 */
@customElement('agenttier-cluster-capacity')
export class AgentTierClusterCapacity extends AgentTierElement {
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
      .bad {
        color: var(--bad);
      }
      .good {
        color: var(--good);
      }
      td.room {
        min-width: 11rem;
      }
      td.room span {
        display: flex;
        justify-content: space-between;
        gap: 0.75rem;
        margin-block-end: 0.2rem;
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  readonly #nodes = new ResourceController<Nodes>(this, {
    server: () => this.source,
    load: listNodes,
    // Nodes are not told of; what they hold changes with sandboxes and pools.
    follows: ['sandbox', 'warmpool'],
  });
  readonly #say: Say = (key, params) => this.say(key, params);

  /** Asks the server now. */
  refresh(): Promise<void> {
    return this.#nodes.reload();
  }

  protected override render() {
    return shown(this.#say, this.#nodes, ({ nodes, summary }) => {
      if (nodes.length === 0) return html`<p class="empty muted">${this.say('capacity.none')}</p>`;
      return html`
        <dl class="tiles">${tile(this.say('capacity.nodes'), `${summary.ready} / ${summary.total}`)}</dl>
        <section class="panel">${this.#summary(summary)}</section>
        ${this.#table(nodes)}
      `;
    });
  }

  #cpu({ requests, allocatable }: Room) {
    const share = shareOf(requests.cpuMillis, allocatable.cpuMillis);
    const [used, total] = [requests, allocatable].map(({ cpuMillis }) => coresText(cpuMillis, this.lang));
    const text = this.say('capacity.of', {
      used: used ?? '',
      total: this.say('capacity.cores', { count: total ?? '' }),
    });
    return { share, text };
  }

  #memory({ requests, allocatable }: Room) {
    const share = shareOf(requests.memBytes, allocatable.memBytes);
    const used = bytesText(requests.memBytes, this.lang);
    const total = bytesText(allocatable.memBytes, this.lang);
    return { share, text: this.say('capacity.of', { used, total }) };
  }

  #summary(summary: Room) {
    const lines = [
      { name: this.say('capacity.cpu'), ...this.#cpu(summary) },
      { name: this.say('capacity.memory'), ...this.#memory(summary) },
    ];
    return bars(
      lines.map(({ name, share, text }) => ({
        name,
        figure: `${text} · ${percentText(share, this.lang)}`,
        share,
        tone: toneOf(share),
      })),
    );
  }

  #table(nodes: readonly ClusterNode[]) {
    const heads = ['node', 'type', 'group', 'state', 'cpu', 'memory'] as const;
    return html`<div class="table" tabindex="0" role="region" aria-label=${this.say('nav.capacity')}>
      <table>
        <thead>
          <tr>
            ${heads.map((head) => html`<th>${this.say(`capacity.${head}`)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${nodes.map((node) => this.#row(node))}
        </tbody>
      </table>
    </div>`;
  }

  #row(node: ClusterNode) {
    const { name, ready, instanceType, nodeGroup } = node;
    return html`<tr>
      <td>${name}</td>
      <td>${instanceType ?? '–'}</td>
      <td>${nodeGroup ?? '–'}</td>
      <td class=${ready ? 'good' : 'bad'}>${this.say(ready ? 'capacity.ready' : 'capacity.notReady')}</td>
      ${[this.#cpu(node), this.#memory(node)].map(
        ({ share, text }) => html`<td class="room">
          <span>${text}<b>${percentText(share, this.lang)}</b></span>${bar(share, toneOf(share))}
        </td>`,
      )}
    </tr>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-cluster-capacity': AgentTierClusterCapacity;
  }
}
