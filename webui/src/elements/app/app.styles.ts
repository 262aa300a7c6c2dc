// SPDX-License-Identifier: Apache-2.0
import { css } from 'lit';

export const styles = css`
  :host {
    display: grid;
    grid-template-rows: auto auto minmax(0, 1fr);
    grid-template-columns: minmax(0, 1fr);
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
