// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { ResourceController } from '../../controllers/resource.ts';
import { glance } from '../../data/cluster.ts';
import type { Glance } from '../../data/cluster.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';

/**
 * The cluster in a line: nodes, sandboxes, pods that are ready to be claimed.
 *
 * @fires agenttier-cluster-status - `detail` is what is shown
 */
@customElement('agenttier-cluster-glance')
export class AgentTierClusterGlance extends AgentTierElement {
  static override styles = [
    baseStyles,
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        gap: 0.25rem 0.875rem;
        color: var(--muted);
        font-size: 0.8125rem;
      }
      b {
        color: var(--text);
        font-weight: 600;
      }
      .short b {
        color: var(--warn);
      }
    `,
  ];

  readonly #glance = new ResourceController<Glance>(this, {
    server: () => this.source,
    load: async (server, signal) => {
      const value = await glance(server, signal);
      this.tell('agenttier-cluster-status', value);
      return value;
    },
    follows: ['sandbox', 'warmpool'],
  });

  /** Asks the server now. */
  refresh(): Promise<void> {
    return this.#glance.reload();
  }

  protected override render() {
    const { value } = this.#glance;
    if (value === undefined) return nothing;
    const { cluster, pools } = value;
    const ready = pools.reduce((sum, { readyCount }) => sum + readyCount, 0);
    const wanted = pools.reduce((sum, { desiredCount }) => sum + desiredCount, 0);
    return html`
      <span class=${cluster.nodesReady < cluster.nodes ? 'short' : ''}>
        <b>${cluster.nodesReady}/${cluster.nodes}</b> ${this.say('glance.nodes')}
      </span>
      <span><b>${cluster.sandboxesRunning}/${cluster.sandboxes}</b> ${this.say('glance.sandboxes')}</span>
      ${
        wanted > 0
          ? html`<span class=${ready < wanted ? 'short' : ''}><b>${ready}/${wanted}</b> ${this.say('glance.warm')}</span>`
          : nothing
      }
    `;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-cluster-glance': AgentTierClusterGlance;
  }
}
