// SPDX-License-Identifier: Apache-2.0
import type { FieldSchema } from '@agenttier/crds/meta/fieldSchema';
import { css, html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { EffectiveView } from '../../data/policies.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';
import { loadSchema } from '../yaml-editor/schemas.ts';
import { limitText } from './usage.ts';

interface Row {
  readonly field: string;
  readonly about: string | undefined;
  readonly value: string | undefined;
  readonly by: string;
}

/** What bounds a namespace, and by whose word; on request also the fields that set no limit, with what they are for. */
@customElement('agenttier-effective-policy')
export class AgentTierEffectivePolicy extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    tableStyles,
    css`
      td:first-child {
        white-space: normal;
      }
      td small {
        display: block;
        max-width: 40rem;
        color: var(--muted);
      }
      label {
        display: flex;
        align-items: center;
        gap: 0.5rem;
        font-weight: 400;
      }
    `,
  ];

  @property({ attribute: false }) view: EffectiveView | undefined;
  /** Fields for which the policy of the namespace takes the place of the cluster's. */
  @property({ attribute: false }) delegated: readonly string[] = [];
  @state() private schema: FieldSchema | undefined;

  protected override render() {
    const { view } = this;
    if (view === undefined) return nothing;
    const title = this.say('governance.effective', { namespace: view.namespace });
    const rows = this.#rows(view);
    return html`<section>
      <h2>${title}</h2>
      <label>
        <input type="checkbox" @change=${(event: Event) => void this.#showAll((event.target as HTMLInputElement).checked)} />
        ${this.say('governance.all')}
      </label>
      ${rows.length === 0 ? html`<p class="muted">${this.say('governance.unbound')}</p>` : this.#table(title, rows)}
    </section>`;
  }

  #table(label: string, rows: readonly Row[]) {
    return html`<div class="table" tabindex="0" role="region" aria-label=${label}>
      <table>
        <thead>
          <tr>
            <th>${this.say('governance.field')}</th>
            <th>${this.say('governance.value')}</th>
            <th>${this.say('governance.by')}</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            ({ field, about, value, by }) => html`<tr>
              <td>${field}${about === undefined ? nothing : html`<small>${about}</small>`}</td>
              <td class="wide">
                ${value ?? html`<span class="muted">${this.say('governance.noLimit')}</span>`}
              </td>
              <td>
                ${by}
                ${this.delegated.includes(field) ? html`<small>${this.say('governance.delegated')}</small>` : nothing}
              </td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
  }

  #rows({ namespace, fields }: EffectiveView): Row[] {
    const known = this.schema === undefined ? undefined : leavesOf(this.schema, '');
    const set = fields.map((limit) => ({
      field: limit.field,
      about: known?.get(limit.field),
      value: limitText(limit),
      by: limit.scope === 'cluster' ? this.say('governance.cluster') : namespace,
    }));
    const named = new Set(fields.map(({ field }) => field));
    const unset = [...(known ?? [])].filter(([field]) => !named.has(field));
    return [...set, ...unset.map(([field, about]) => ({ field, about, value: undefined, by: '' }))];
  }

  async #showAll(on: boolean): Promise<void> {
    this.schema = on ? await loadSchema('GovernancePolicy') : undefined;
  }
}

/** The fields of a policy that can bound something, with what they are for. */
function leavesOf({ properties = {} }: FieldSchema, path: string): Map<string, string | undefined> {
  const leaves = Object.entries(properties).flatMap(([name, field]) =>
    field.properties === undefined
      ? [[path + name, field.description] as const]
      : [...leavesOf(field, `${path}${name}.`)],
  );
  return new Map(leaves.filter(([field]) => field !== 'description'));
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-effective-policy': AgentTierEffectivePolicy;
  }
}
