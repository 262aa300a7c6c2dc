// SPDX-License-Identifier: Apache-2.0
import { css } from 'lit';

export const styles = css`
  :host {
    display: block;
    position: relative;
    container-type: inline-size;
  }
  .bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem;
  }
  .bar > nav {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
  }
  .bar > nav > button {
    margin-inline-start: 0.5rem;
    color: var(--muted);
  }
  .bar > nav,
  .bar > h3 {
    flex: 1 1 12rem;
    margin: 0;
    font-size: 0.9375rem;
  }
  .crumbs {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .crumbs li + li::before {
    content: '/';
    color: var(--muted);
  }
  .crumbs button {
    padding: 0 0.4rem;
    overflow-wrap: anywhere;
  }
  .crumbs [aria-current] {
    padding: 0 0.4rem;
    font-weight: 600;
    overflow-wrap: anywhere;
  }
  th button {
    min-height: 1.75rem;
    padding: 0;
    border: 0;
    background: none;
    color: inherit;
    font-weight: inherit;
  }
  th[aria-sort='ascending'] button::after {
    content: '↑';
  }
  th[aria-sort='descending'] button::after {
    content: '↓';
  }
  td {
    padding-block: 0.125rem;
  }
  td.number,
  th.number {
    text-align: end;
    font-variant-numeric: tabular-nums;
  }
  tbody tr:hover,
  tbody tr:focus-within {
    background: color-mix(in srgb, var(--accent) 6%, transparent);
  }
  button.name {
    justify-content: start;
    gap: 0.6rem;
    width: 100%;
    padding: 0;
    border: 0;
    background: none;
    font-weight: 450;
    text-align: start;
    overflow-wrap: anywhere;
    white-space: normal;
  }
  tr.dir button.name {
    font-weight: 600;
  }
  svg {
    flex: none;
    width: 1.1rem;
    height: 1.1rem;
    fill: none;
    stroke: var(--muted);
    stroke-width: 1.5;
    stroke-linejoin: round;
  }
  tr.dir svg {
    fill: color-mix(in srgb, var(--accent) 22%, transparent);
    stroke: var(--accent);
  }
  td.do button {
    min-height: 1.9rem;
    padding: 0 0.5rem;
    font-size: 0.8125rem;
  }
  form.naming {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem;
    padding: 0.25rem 0;
  }
  form.naming input {
    flex: 1 1 12rem;
    width: auto;
    min-width: 0;
  }
  .drop {
    position: absolute;
    inset: 0;
    z-index: 1;
    display: grid;
    place-items: center;
    border: 2px dashed var(--accent);
    border-radius: var(--radius);
    background: color-mix(in srgb, var(--bg) 88%, var(--accent));
    font-weight: 600;
    text-align: center;
    pointer-events: none;
  }
  .transfers ul {
    display: grid;
    gap: 0.5rem;
    max-height: 14rem;
    margin: 0;
    padding: 0;
    overflow-y: auto;
    list-style: none;
  }
  .transfers li {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto auto;
    align-items: center;
    gap: 0.125rem 0.75rem;
    min-height: 2.25rem;
  }
  .transfers .what {
    overflow-wrap: anywhere;
  }
  .transfers .failed .state {
    grid-column: 1 / -1;
    color: var(--bad);
  }
  .transfers .done .state {
    color: var(--good);
  }
  progress {
    grid-column: 1 / -1;
    width: 100%;
    height: 0.375rem;
    accent-color: var(--accent);
  }
  /* Where it is narrow, what can be done to something stands below its name. */
  @container (max-width: 40rem) {
    .changed,
    th:last-child {
      display: none;
    }
    table,
    thead,
    tbody {
      display: block;
    }
    tr {
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto;
      border-block-end: 1px solid var(--line);
    }
    tbody tr:last-child {
      border-block-end: 0;
    }
    td,
    th {
      align-content: center;
      padding-inline: 0.75rem;
      border-block-end: 0;
    }
    td.wide {
      min-width: 0;
    }
    td.do {
      grid-column: 1 / -1;
      padding-block: 0 0.25rem;
    }
    td.do:empty {
      display: none;
    }
  }
`;
