// SPDX-License-Identifier: Apache-2.0
import { css } from 'lit';

export const styles = css`
  :host {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1rem;
  }
  .bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.625rem;
  }
  .bar input[type='search'] {
    flex: 1 1 14rem;
    width: auto;
  }
  .bar select {
    width: auto;
  }
  .bar label {
    display: inline-flex;
    align-items: center;
    gap: 0.5rem;
    font-weight: 400;
  }
  .views {
    display: inline-flex;
  }
  .views button:first-child {
    border-start-end-radius: 0;
    border-end-end-radius: 0;
  }
  .views button:last-child {
    margin-inline-start: -1px;
    border-start-start-radius: 0;
    border-end-start-radius: 0;
  }
  .views button[aria-pressed='true'] {
    background: color-mix(in srgb, var(--accent) 16%, var(--raised));
  }
  .grid {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr));
    gap: 0.875rem;
    margin: 0;
    padding: 0;
    list-style: none;
  }
  /* A thousand sandboxes: those out of sight cost neither layout nor paint, and can still be found and read. */
  .grid > li {
    display: grid;
    content-visibility: auto;
    contain-intrinsic-size: auto 15rem;
  }
  .grid > li.chosen > * {
    --agenttier-line: var(--accent);
  }
  .table {
    /* What is only read out is placed by it, or it would widen the page. */
    position: relative;
    overflow-x: auto;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
    font-size: 0.875rem;
  }
  .row {
    display: grid;
    grid-template-columns: 2.5rem minmax(11rem, 2fr) 7rem repeat(3, minmax(7rem, 1fr)) repeat(2, 7.5rem) 9rem;
    align-items: center;
    min-width: 66rem;
    min-height: 2.875rem;
    padding-inline: 0.25rem;
    border-block-end: 1px solid var(--line);
  }
  .table > .row:last-child {
    border-block-end: 0;
  }
  .row.one {
    content-visibility: auto;
    contain-intrinsic-size: auto 2.875rem;
  }
  .row.chosen {
    background: color-mix(in srgb, var(--accent) 9%, transparent);
  }
  .row > * {
    min-width: 0;
    padding: 0.25rem 0.5rem;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .row button {
    min-height: 1.875rem;
    padding-inline: 0.5rem;
    margin-inline-start: -0.5rem;
  }
  .row .do button {
    margin: 0;
  }
  .row > :is(:first-child, .do) {
    text-overflow: clip;
  }
  .row .do {
    padding-inline-start: 0;
    text-align: end;
  }
  .row .name button {
    display: block;
    max-width: 100%;
    overflow: hidden;
    color: var(--accent);
    text-overflow: ellipsis;
  }
  [role='columnheader'] {
    color: var(--muted);
  }
  [role='columnheader'] button {
    color: inherit;
    font-size: inherit;
  }
  /* Where rows have no room they are cards: each value with its head before it. */
  @media (width < 40rem) {
    .row {
      min-width: 0;
    }
    .row:not(.one) {
      position: absolute;
      width: 1px;
      height: 1px;
      min-height: 0;
      overflow: hidden;
      clip-path: inset(50%);
    }
    .row.one {
      grid-template-columns: 2.5rem minmax(0, 1fr) auto;
      padding-block: 0.375rem;
      contain-intrinsic-size: auto 11rem;
    }
    .row.one > [data-head] {
      grid-column: 2 / -1;
      white-space: normal;
      overflow-wrap: anywhere;
    }
    .row.one > [data-head]::before {
      content: attr(data-head) ': ' / '';
      color: var(--muted);
    }
    .row.one > .do:not(:has(*)) {
      display: none;
    }
    .row.one > .do {
      grid-column: 2 / -1;
      text-align: start;
    }
    .row.one .name button {
      white-space: normal;
      overflow-wrap: anywhere;
      text-align: start;
    }
  }
  .outcome {
    display: grid;
    gap: 0.5rem;
  }
  .outcome ul {
    max-height: 12rem;
    margin: 0;
    padding-inline-start: 1.25rem;
    overflow-y: auto;
    overflow-wrap: anywhere;
  }
  .outcome .no {
    color: var(--bad);
  }
`;
