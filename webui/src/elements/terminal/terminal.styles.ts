// SPDX-License-Identifier: Apache-2.0
import { css } from 'lit';

export const styles = css`
  :host {
    display: grid;
    grid-template-rows: auto minmax(0, 1fr) auto;
    min-height: 16rem;
    height: 100%;
    border-radius: var(--radius);
    overflow: hidden;
    background: var(--agenttier-terminal-background, #15161a);
  }
  .bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem;
    padding: 0.375rem 0.625rem;
    background: var(--surface);
    border-block-end: 1px solid var(--line);
    font-size: 0.8125rem;
  }
  ::slotted([slot='title']) {
    font-weight: 600;
  }
  .bar .state {
    flex: 1;
    min-width: 8rem;
  }
  .bar button {
    min-height: 1.75rem;
    padding: 0 0.5rem;
    font-size: 0.8125rem;
  }
  .bar input {
    width: 10rem;
    min-height: 1.75rem;
    font-size: 0.8125rem;
  }
  .people {
    display: flex;
    flex-wrap: wrap;
    gap: 0.375rem;
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .people li,
  .chip {
    padding: 0.0625rem 0.5rem;
    border: 1px solid var(--line);
    border-radius: 1rem;
    background: var(--raised);
    white-space: nowrap;
  }
  .people li.view,
  .chip {
    color: var(--muted);
  }
  .screen {
    /* The emulator takes the room that there is: its lines must not hold it open when the window gets smaller. */
    contain: size;
    min-height: 0;
    padding: 0.5rem;
    overflow: hidden;
  }
  /* Somebody else's size may be larger than there is room for. */
  .screen.followed {
    overflow: auto;
  }
  .note {
    border-radius: 0;
    border-width: 1px 0 0 3px;
  }
`;
