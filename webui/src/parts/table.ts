// SPDX-License-Identifier: Apache-2.0
import { html } from 'lit';
import type { TemplateResult } from 'lit';

export interface ActionTable {
  /** What the table is of, for people who cannot see it. */
  readonly label: string;
  readonly heads: readonly string[];
  /** What the buttons at the end of each row do; the head of their column, which is not shown. */
  readonly action: string;
  readonly rows: readonly TemplateResult[];
}

/** Rows with something to do at the end of each. It scrolls by itself where the place is narrow, by keyboard too. */
export const actionTable = ({ label, heads, action, rows }: ActionTable): TemplateResult =>
  html`<div class="table" tabindex="0" role="region" aria-label=${label}>
    <table>
      <thead>
        <tr>
          ${heads.map((head) => html`<th>${head}</th>`)}
          <th><span class="visually-hidden">${action}</span></th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
