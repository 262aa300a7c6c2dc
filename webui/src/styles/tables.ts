// SPDX-License-Identifier: Apache-2.0
import { css } from 'lit';

/** Lists of things with what can be done to each; narrow places scroll them, never the page. */
export const tableStyles = css`
  .table {
    /* What is only read out is placed by it, or it would widen the page. */
    position: relative;
    overflow-x: auto;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
  }
  table {
    width: 100%;
    border-collapse: collapse;
    font-size: 0.875rem;
  }
  th,
  td {
    padding: 0.5rem 0.875rem;
    border-block-end: 1px solid var(--line);
    text-align: start;
    white-space: nowrap;
  }
  td.wide {
    min-width: 12rem;
    white-space: normal;
    overflow-wrap: anywhere;
  }
  tr:last-child td {
    border-block-end: 0;
  }
  th {
    color: var(--muted);
    font-weight: 550;
  }
  td.do {
    text-align: end;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: end;
    gap: 0.75rem;
  }
  .row > label {
    flex: 1 1 9rem;
  }
  section {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.875rem;
  }
`;
