// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Sandbox } from '../../data/sandboxes.ts';
import type { TextKey } from '../../text/text.ts';
import { sinceText } from '../../text/time.ts';
import { keyOf, ownerOf } from './selection.ts';
import type { Order, SortKey } from './selection.ts';

/** What the table needs of the list that it is in. */
export interface Table {
  readonly lang: string;
  readonly theme: string;
  readonly sort: SortKey;
  readonly order: Order;
  readonly shared: (sandbox: Sandbox) => boolean;
  readonly chosen: (sandbox: Sandbox) => boolean;
  /** Whether the row is in sight, or near. */
  readonly draws: (sandbox: Sandbox, at: number) => boolean;
  readonly see: (event: Event) => void;
  readonly checkbox: (sandbox: Sandbox) => TemplateResult;
  say(key: TextKey): string;
  sortBy(key: SortKey): void;
  open(sandbox: Sandbox, target: 'settings' | 'terminal'): void;
}

const COLUMNS: readonly SortKey[] = ['name', 'status', 'template', 'namespace', 'owner', 'created', 'used'];

/**
 * The sandboxes in rows. Not a `<table>`: its rows cannot be left out of the layout while they are out of sight
 * (CSS Containment 3 does not apply to table boxes), and a thousand of them would cost their height at each change.
 */
export const sandboxTable = (sandboxes: readonly Sandbox[], table: Table): TemplateResult => html`<div
  class="table"
  part="table"
  role="table"
  aria-label=${table.say('list.sandboxes')}
  aria-rowcount=${sandboxes.length + 1}
  @contentvisibilityautostatechange=${table.see}
>
  <div class="row" role="row">
    <span role="columnheader"><span class="visually-hidden">${table.say('list.selection')}</span></span>
    ${COLUMNS.map((key) => headOf(key, table))}
    <span role="columnheader"><span class="visually-hidden">${table.say('list.actions')}</span></span>
  </div>
  ${repeat(sandboxes, keyOf, (sandbox, at) => rowOf(sandbox, table, at))}
</div>`;

function headOf(key: SortKey, table: Table): TemplateResult {
  const sorted = table.sort === key;
  const arrow = table.order === 'ascending' ? '↑' : '↓';
  return html`<span role="columnheader" aria-sort=${sorted ? table.order : 'none'}>
    <button class="quiet" @click=${() => table.sortBy(key)}>
      ${table.say(`sort.${key}`)}${sorted ? html`<span aria-hidden="true">${arrow}</span>` : nothing}
    </button>
  </span>`;
}

function rowOf(sandbox: Sandbox, table: Table, at: number): TemplateResult {
  return html`<div class="row one ${table.chosen(sandbox) ? 'chosen' : ''}" role="row" data-key=${keyOf(sandbox)}>
    ${table.draws(sandbox, at) ? cellsOf(sandbox, table) : laterCells(sandbox, table)}
  </div>`;
}

/** In the place of a row that nobody sees yet: what is searched for in the page, and read out. */
const laterCells = ({ name, status }: Sandbox, table: Table): TemplateResult =>
  html`<span role="cell"></span><span role="cell">${name}</span><span role="cell">${table.say(`phase.${status}`)}</span>`;

function cellsOf(sandbox: Sandbox, table: Table): TemplateResult {
  const { name, status, templateRef, namespace, createdAt, lastActivityAt } = sandbox;
  const owner = ownerOf(sandbox);
  return html`<span role="cell">${table.checkbox(sandbox)}</span>
    <span role="cell" class="name" title=${name}>
      <button class="quiet" @click=${() => table.open(sandbox, 'settings')}>${name}</button>
    </span>
    <span role="cell">
      <agenttier-status-badge .phase=${status} theme=${table.theme} lang=${table.lang}></agenttier-status-badge>
    </span>
    <span role="cell" data-head=${table.say('sort.template')} title=${templateRef}>${templateRef}</span>
    <span role="cell" data-head=${table.say('sort.namespace')} title=${namespace}>${namespace}</span>
    <span role="cell" data-head=${table.say('sort.owner')} title=${table.shared(sandbox) ? `${owner} – ${table.say('card.shared')}` : owner}>
      ${owner || '–'}${table.shared(sandbox) ? html`<span class="visually-hidden">, ${table.say('card.shared')}</span><span aria-hidden="true"> ⇄</span>` : nothing}
    </span>
    <span role="cell" data-head=${table.say('sort.created')}>${timeOf(createdAt, table.lang)}</span>
    <span role="cell" data-head=${table.say('sort.used')}>${lastActivityAt ? timeOf(lastActivityAt, table.lang) : table.say('card.never')}</span>
    <span role="cell" class="do">
      ${
        status === 'Running'
          ? html`<button @click=${() => table.open(sandbox, 'terminal')}>${table.say('action.terminal')}</button>`
          : nothing
      }
    </span>`;
}

const timeOf = (timestamp: string, lang: string): TemplateResult =>
  html`<time datetime=${timestamp} title=${new Date(timestamp).toLocaleString()}>${sinceText(timestamp, lang)}</time>`;
