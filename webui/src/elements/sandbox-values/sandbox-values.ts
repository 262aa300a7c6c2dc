// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { ResourceController } from '../../controllers/resource.ts';
import { explainSandbox } from '../../data/sandboxes.ts';
import type { Explanation } from '../../data/sandboxes.ts';
import { AgentTierElement } from '../../element.ts';
import { shown } from '../../parts/states.ts';
import type { Say } from '../../parts/states.ts';
import { valueText } from '../../parts/valueText.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';
import { originText } from './origin.ts';

/** What a sandbox is made of: each value with who set it and what bounds it. With `only`, the values below that field. */
@customElement('agenttier-sandbox-values')
export class AgentTierSandboxValues extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    tableStyles,
    css`
      td:first-child {
        font-family: var(--mono);
        font-size: 0.8125rem;
      }
      td small {
        display: block;
        color: var(--muted);
      }
    `,
  ];

  @property({ attribute: 'sandbox-id' }) sandboxId = '';
  /** A field of the spec, such as `network`; empty = all. */
  @property() only = '';

  readonly #say: Say = (key, params) => this.say(key, params);
  readonly #values = new ResourceController<Explanation>(this, {
    server: () => this.source,
    load: (server, signal) =>
      explainSandbox(server, { sandboxId: this.sandboxId, namespace: this.namespace }, signal),
    follows: ['sandbox', 'template', 'policy'],
  });

  protected override render() {
    return shown(this.#say, this.#values, (explanation) => this.#table(explanation));
  }

  #table({ chain, fields, policiesKnown }: Explanation) {
    const rows = fields.filter(({ field }) => this.only === '' || field.startsWith(`${this.only}.`));
    return html`<section>
      ${chain.length === 0 ? nothing : html`<p class="muted">${this.say('values.chain', { chain: chain.map((one) => one.slice(one.indexOf('/') + 1)).join(' → ') })}</p>`}
      ${policiesKnown ? nothing : html`<p class="note warn" role="status">${this.say('values.noPolicies')}</p>`}
      ${rows.length === 0 ? html`<p class="muted">${this.say('values.none')}</p>` : this.#rows(rows)}
    </section>`;
  }

  #rows(rows: Explanation['fields']) {
    return html`<div class="table" tabindex="0" role="region" aria-label=${this.say('values.label')}>
      <table>
        <thead>
          <tr>
            <th>${this.say('values.field')}</th>
            <th>${this.say('values.value')}</th>
            <th>${this.say('values.origin')}</th>
            <th>${this.say('values.bound')}</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ field, value, origin, bounds }) => html`<tr>
              <td>${field}</td>
              <td class="wide">${valueText(value)}</td>
              <td>${originText(this.#say, origin)}</td>
              <td class="wide">
                ${bounds.map(({ policy, scope, limit }) => html`${limit}<small>${policy} (${scope})</small>`)}
              </td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-sandbox-values': AgentTierSandboxValues;
  }
}
