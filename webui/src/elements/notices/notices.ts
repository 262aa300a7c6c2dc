// SPDX-License-Identifier: Apache-2.0
import { css, html } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';
import type { Problem } from '../../data/problem.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';

/** More than these would cover the page; what is older has been seen. */
const MOST = 3;

interface Notice {
  readonly id: number;
  readonly text: string;
}

/** Short news that belongs to no panel, in the corner of the page until it is closed: nobody has to read fast. */
@customElement('agenttier-notices')
export class AgentTierNotices extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    css`
      :host {
        position: fixed;
        inset-block-end: 1rem;
        inset-inline-end: 1rem;
        z-index: 10;
        width: min(26rem, calc(100vw - 2rem));
      }
      div {
        display: grid;
        gap: 0.5rem;
      }
      p {
        flex-wrap: nowrap;
        justify-content: space-between;
        background: var(--raised);
        box-shadow: 0 0.5rem 1.5rem rgb(0 0 0 / 22%);
        overflow-wrap: anywhere;
      }
    `,
  ];

  @state() private notices: readonly Notice[] = [];
  #last = 0;

  add(text: string): void {
    this.notices = [...this.notices, { id: ++this.#last, text }].slice(-MOST);
  }

  /** Shows what went wrong unless the element where it did shows it itself. */
  async addUnlessShown(problem: Problem, source: EventTarget | undefined): Promise<void> {
    const text = problem.message || problem.violations.map(({ message }) => message).join('; ');
    // What the element does with it comes after it has told us.
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (source instanceof AgentTierElement) await source.updateComplete;
    if (!isShown(problem, source)) this.add(text);
  }

  protected override render() {
    return html`<div role="status">
      ${repeat(
        this.notices,
        ({ id }) => id,
        ({ id, text }) => html`<p class="note bad">
          <span>${text}</span>
          <button class="quiet" @click=${() => this.#close(id)}>${this.say('list.close')}</button>
        </p>`,
      )}
    </div>`;
  }

  #close(id: number): void {
    this.notices = this.notices.filter((one) => one.id !== id);
  }
}

function isShown({ message, violations }: Problem, source: EventTarget | undefined): boolean {
  if (!(source instanceof Element) || !source.isConnected) return false;
  const shown = source.shadowRoot?.textContent ?? '';
  return [message, ...violations.map((one) => one.message)].some(
    (text) => text !== '' && shown.includes(text),
  );
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-notices': AgentTierNotices;
  }
}
