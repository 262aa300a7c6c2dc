// SPDX-License-Identifier: Apache-2.0
import { css, html } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import type { Phase } from '../../data/sandboxes.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';

/**
 * The phase of a sandbox as a word with a dot; the dot breathes while something is under way.
 *
 * @csspart dot - the dot
 */
@customElement('agenttier-status-badge')
export class AgentTierStatusBadge extends AgentTierElement {
  static override styles = [
    baseStyles,
    css`
      :host {
        display: inline-flex;
        align-items: center;
        gap: 0.4rem;
        color: var(--tone);
        font-size: 0.8125rem;
        font-weight: 600;
        white-space: nowrap;
      }
      :host([phase='Running']) {
        --tone: var(--good);
      }
      :host([phase='Creating']) {
        --tone: var(--busy);
      }
      :host([phase='Stopped']) {
        --tone: var(--muted);
      }
      :host([phase='Error']) {
        --tone: var(--bad);
      }
      :host([phase='Deleting']) {
        --tone: var(--warn);
      }
      i {
        width: 0.55rem;
        height: 0.55rem;
        border-radius: 50%;
        background: currentcolor;
      }
      :host([phase='Creating']) i,
      :host([phase='Deleting']) i {
        animation: breathe 1.2s ease-in-out infinite alternate;
      }
      @keyframes breathe {
        to {
          opacity: 0.25;
        }
      }
    `,
  ];

  @property({ reflect: true }) phase: Phase = 'Creating';

  protected override render() {
    return html`<i part="dot" aria-hidden="true"></i>${this.say(`phase.${this.phase}`)}`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-status-badge': AgentTierStatusBadge;
  }
}
