// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';

export type Tone = 'accent' | 'good' | 'warn' | 'bad' | 'busy' | 'muted';

/** Numbers at a glance and bars. */
export const figureStyles = css`
  .tiles {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 10.5rem), 1fr));
    gap: 0.75rem;
    margin: 0;
  }
  .tile,
  .panel {
    padding: 0.875rem 1rem;
    border: 1px solid var(--line);
    border-radius: var(--radius);
    background: var(--surface);
    min-width: 0;
  }
  .panel {
    display: grid;
    align-content: start;
    gap: 0.75rem;
  }
  .panels {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr));
    gap: 1rem;
    align-items: start;
  }
  .tile dt {
    color: var(--muted);
    font-size: 0.8125rem;
  }
  .tile dd {
    margin: 0.125rem 0 0;
    font-size: 1.5rem;
    font-weight: 650;
    font-variant-numeric: tabular-nums;
    line-height: 1.25;
    overflow-wrap: anywhere;
  }
  .tile small {
    display: block;
    color: var(--muted);
    font-size: 0.8125rem;
    font-weight: 400;
  }
  ul.bars {
    display: grid;
    gap: 0.625rem;
    margin: 0;
    padding: 0;
    list-style: none;
  }
  ul.bars li {
    display: grid;
    grid-template-columns: minmax(0, 1fr) auto;
    gap: 0.2rem 0.75rem;
    font-size: 0.875rem;
  }
  ul.bars .name {
    overflow-wrap: anywhere;
  }
  ul.bars .figure {
    color: var(--muted);
    font-variant-numeric: tabular-nums;
  }
  ul.bars svg.bar {
    grid-column: 1 / -1;
  }
  svg.bar {
    display: block;
    width: 100%;
    min-width: 5rem;
    height: 0.5rem;
    border-radius: 0.25rem;
    overflow: hidden;
    background: color-mix(in srgb, var(--muted) 22%, transparent);
  }
  svg.bar rect {
    fill: var(--tone, var(--accent));
    transition: width 0.25s;
  }
  svg.bar.good {
    --tone: var(--good);
  }
  svg.bar.warn {
    --tone: var(--warn);
  }
  svg.bar.bad {
    --tone: var(--bad);
  }
  svg.bar.busy {
    --tone: var(--busy);
  }
  svg.bar.muted {
    --tone: var(--muted);
  }
  td.figure,
  th.figure {
    text-align: end;
    font-variant-numeric: tabular-nums;
  }
`;

/** A line that is full by `share`. What it says is said in words beside it too. */
export const bar = (share: number, tone: Tone = 'accent') => html`<svg
  class="bar ${tone}"
  viewBox="0 0 100 1"
  preserveAspectRatio="none"
  aria-hidden="true"
><rect width=${Math.round(share * 1000) / 10} height="1"></rect></svg>`;

export interface BarLine {
  readonly name: string;
  readonly figure: string;
  readonly share: number;
  readonly tone?: Tone;
}

export const bars = (lines: readonly BarLine[]) => html`<ul class="bars">
  ${lines.map(
    ({ name, figure, share, tone }) => html`<li>
      <span class="name">${name}</span><span class="figure">${figure}</span>${bar(share, tone)}
    </li>`,
  )}
</ul>`;

export const tile = (name: string, value: string | number, hint = '') => html`<div class="tile">
  <dt>${name}</dt>
  <dd>${value}${hint === '' ? nothing : html`<small>${hint}</small>`}</dd>
</div>`;

/** How full is too full: the same for nodes and for policies. */
export function toneOf(share: number): Tone {
  if (share >= 0.9) return 'bad';
  return share >= 0.7 ? 'warn' : 'good';
}
