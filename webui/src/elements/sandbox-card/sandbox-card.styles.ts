// SPDX-License-Identifier: Apache-2.0
import { css } from 'lit';

export const styles = css`
  :host {
    display: block;
  }
  article {
    display: flex;
    flex-direction: column;
    gap: 0.75rem;
    height: 100%;
    padding: 1rem;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
  }
  header {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    min-width: 0;
  }
  h3 {
    flex: 1;
    min-width: 0;
    font-size: 1rem;
    overflow-wrap: anywhere;
  }
  .mode {
    padding: 0 0.45rem;
    border: 1px solid var(--line);
    border-radius: 1rem;
    color: var(--muted);
    font-size: 0.75rem;
  }
  dl {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 0.15rem 0.75rem;
    margin: 0;
    font-size: 0.8125rem;
  }
  dt {
    color: var(--muted);
  }
  dd {
    margin: 0;
    overflow-wrap: anywhere;
  }
  .message {
    color: var(--bad);
    font-size: 0.8125rem;
  }
  .message.warn {
    color: var(--warn);
  }
  footer {
    display: flex;
    flex-wrap: wrap;
    gap: 0.375rem;
    margin-block-start: auto;
  }
  footer button {
    padding-inline: 0.625rem;
    font-size: 0.8125rem;
  }
  footer .danger {
    margin-inline-start: auto;
  }
`;
