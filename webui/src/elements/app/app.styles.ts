// SPDX-License-Identifier: Apache-2.0
import { css } from 'lit';

export const styles = css`
  :host {
    display: flex;
    min-height: 100dvh;
    background: var(--bg);
  }
  .dev {
    padding: 0.35rem 1rem;
    background: var(--bad);
    color: var(--agenttier-on-bad, light-dark(#ffffff, #2b0a07));
    font-weight: 600;
    text-align: center;
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 0.5rem 1.25rem;
    padding: 0.625rem clamp(1rem, 3vw, 2rem);
    border-block-end: 1px solid var(--line);
    background: var(--surface);
  }
  .brand {
    color: var(--text);
    font-size: 1.0625rem;
    font-weight: 700;
    text-decoration: none;
  }
  nav {
    display: flex;
    flex: 1 1 auto;
    flex-wrap: wrap;
    gap: 0.25rem;
  }
  nav a {
    padding: 0.35rem 0.7rem;
    border-radius: calc(var(--radius) - 3px);
    color: var(--muted);
    font-weight: 550;
    text-decoration: none;
  }
  nav a[aria-current='page'] {
    background: color-mix(in srgb, var(--accent) 14%, transparent);
    color: var(--text);
  }
  nav.sections {
    margin-block-end: 1.25rem;
    padding-block-end: 0.375rem;
    border-block-end: 1px solid var(--line);
  }
  nav.sections a {
    white-space: nowrap;
  }
  .who {
    display: flex;
    align-items: center;
    gap: 0.75rem;
    margin-inline-start: auto;
  }
  .who select {
    width: auto;
  }
  kbd {
    padding-inline: 0.35rem;
    border: 1px solid var(--line);
    border-radius: 4px;
    color: var(--muted);
    font-family: inherit;
    font-size: 0.75rem;
    white-space: nowrap;
  }
  /* One line as long as there is room for one. */
  @media (width < 88rem) {
    .who .name {
      display: none;
    }
  }
  @media (width < 72rem) {
    agenttier-cluster-glance,
    kbd {
      display: none;
    }
  }
  /* Where there is little room: what is looked at once goes, and pages are one line that scrolls. */
  @media (width < 56rem) {
    agenttier-cluster-glance,
    .who .name,
    kbd {
      display: none;
    }
    header {
      gap: 0.375rem 0.5rem;
      padding-block-end: 0;
    }
    header > nav {
      order: 3;
      flex: 1 0 100%;
      flex-wrap: nowrap;
      padding: 2px 2px 0.5rem;
      overflow-x: auto;
      scrollbar-width: none;
    }
    .who {
      flex: 1;
      justify-content: end;
      gap: 0.25rem;
    }
    .who select,
    .who button {
      padding-inline: 0.375rem;
      font-size: 0.8125rem;
      white-space: nowrap;
    }
    .who button {
      border-color: transparent;
    }
  }
  nav a {
    white-space: nowrap;
  }
  :is(h1, main):focus {
    outline: none;
  }
  .first {
    display: grid;
    gap: 1rem;
    justify-items: center;
  }
  .first ol {
    display: grid;
    gap: 0.5rem;
    max-width: 34rem;
    margin: 0;
    padding-inline-start: 1.5rem;
    text-align: start;
  }
  dialog.again {
    width: min(28rem, calc(100vw - 2rem));
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
    color: var(--text);
  }
  dialog.again::backdrop {
    background: rgb(0 0 0 / 55%);
  }
  dialog.again agenttier-login {
    min-height: 0;
  }
  agenttier-provider {
    display: flex;
    flex: 1;
    flex-direction: column;
    min-width: 0;
  }
  /* Whatever is below the head takes the rest of the window. */
  main,
  agenttier-provider > agenttier-login {
    flex: 1;
  }
  main {
    width: min(100%, 110rem);
    margin-inline: auto;
    padding: clamp(1rem, 3vw, 2rem);
    min-width: 0;
  }
  main.whole {
    display: grid;
    width: 100%;
    padding: 0.75rem;
  }
  .title {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 0.75rem;
    margin-block-end: 1rem;
  }
  .note {
    margin-block-end: 1rem;
  }
`;
