// SPDX-License-Identifier: Apache-2.0
import { css } from 'lit';

/** A list at the side of what is edited; in narrow places above it. */
export const sideListStyles = css`
  :host {
    display: grid;
    grid-template-columns: minmax(12rem, 18rem) minmax(0, 1fr);
    gap: 1rem;
    align-items: start;
  }
  @media (max-width: 50rem) {
    :host {
      grid-template-columns: minmax(0, 1fr);
    }
  }
  nav {
    display: grid;
    gap: 0.25rem;
  }
  nav button {
    display: grid;
    justify-content: stretch;
    justify-items: start;
    padding: 0.5rem 0.75rem;
    border-color: transparent;
    background: none;
    text-align: start;
  }
  nav button[aria-current='true'] {
    border-color: var(--line);
    background: var(--surface);
  }
  nav small {
    color: var(--muted);
    font-weight: 400;
  }
  nav form {
    display: flex;
    gap: 0.5rem;
    margin-block-start: 0.5rem;
  }
  .edit {
    display: grid;
    gap: 0.875rem;
    min-width: 0;
  }
  .bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem;
  }
  .bar h2 {
    flex: 1;
    overflow-wrap: anywhere;
  }
  .bar input {
    flex: 1;
    width: auto;
  }
`;
