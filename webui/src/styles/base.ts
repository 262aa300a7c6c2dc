// SPDX-License-Identifier: Apache-2.0
import { css } from 'lit';

/**
 * What every element starts from. Pages restyle by the `--agenttier-*` properties; the short names inside are ours. Both
 * themes are in one place: `light-dark()` follows `color-scheme`, which the `theme` attribute sets.
 */
export const baseStyles = css`
  :host {
    color-scheme: light dark;
    --bg: var(--agenttier-background, light-dark(#f7f7f9, #131418));
    --surface: var(--agenttier-surface, light-dark(#ffffff, #1c1e24));
    --raised: var(--agenttier-raised, light-dark(#ffffff, #262932));
    --line: var(--agenttier-line, light-dark(#dcdee4, #343842));
    --text: var(--agenttier-text, light-dark(#1a1c22, #eceef3));
    --muted: var(--agenttier-muted, light-dark(#585d6b, #a3a9b8));
    --accent: var(--agenttier-accent, light-dark(#5b3fd6, #a995ff));
    --on-accent: var(--agenttier-on-accent, light-dark(#ffffff, #17122b));
    --good: var(--agenttier-good, light-dark(#136c3a, #62d296));
    --busy: var(--agenttier-busy, light-dark(#0b5cad, #7cb8ff));
    --warn: var(--agenttier-warn, light-dark(#8a4b00, #f0b45c));
    --bad: var(--agenttier-bad, light-dark(#b3261e, #ff8f85));
    --radius: var(--agenttier-radius, 10px);
    --font: var(--agenttier-font, system-ui, -apple-system, 'Segoe UI', sans-serif);
    --mono: var(--agenttier-mono, ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace);
    color: var(--text);
    font-family: var(--font);
    font-size: 0.9375rem;
    line-height: 1.45;
  }
  :host([theme='light']) {
    color-scheme: light;
  }
  :host([theme='dark']) {
    color-scheme: dark;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  h1,
  h2,
  h3,
  p {
    margin: 0;
  }
  h1 {
    font-size: 1.375rem;
    line-height: 1.25;
  }
  h2 {
    font-size: 1.0625rem;
  }
  a {
    color: var(--accent);
  }
  .muted {
    color: var(--muted);
  }
  .mono {
    font-family: var(--mono);
    font-size: 0.875em;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation-duration: 0.01ms !important;
      animation-iteration-count: 1 !important;
      transition-duration: 0.01ms !important;
    }
  }
`;
