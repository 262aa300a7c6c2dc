// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import type { Problem } from '../../data/problem.ts';
import type { AuthConfig } from '../../data/user.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';

/**
 * Ways to sign in: the organisation's issuer where there is one, and an API key.
 *
 * @fires agenttier-sign-in - the person chose the issuer
 * @fires agenttier-api-key - `detail.key` is to be tried
 */
@customElement('agenttier-login')
export class AgentTierLogin extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    css`
      :host {
        display: grid;
        place-items: center;
        min-height: 60vh;
        padding: 1rem;
      }
      section {
        display: grid;
        gap: 1.25rem;
        width: min(24rem, 100%);
        padding: 1.75rem;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
      }
      form {
        display: grid;
        gap: 0.75rem;
      }
    `,
  ];

  @property({ attribute: false }) config: AuthConfig | undefined;
  /** Why the last try was refused. */
  @property({ attribute: false }) error: Problem | undefined;
  @state() private key = '';

  protected override render() {
    return html`<section aria-labelledby="title">
      <h1 id="title">${this.say('login.title')}</h1>
      ${
        this.error
          ? html`<p class="note bad" role="alert">${this.say('login.refused', { message: this.error.message })}</p>`
          : nothing
      }
      ${
        this.config?.mode === 'oidc'
          ? html`<button class="primary" @click=${() => this.tell('agenttier-sign-in')}>${this.say('login.oidc')}</button>`
          : nothing
      }
      <form @submit=${(event: Event) => this.#submit(event)}>
        <label>
          ${this.say('login.key')}
          <input
            type="password"
            name="key"
            autocomplete="off"
            required
            .value=${this.key}
            @input=${(event: Event) => (this.key = (event.target as HTMLInputElement).value.trim())}
          />
        </label>
        <button class=${this.config?.mode === 'oidc' ? '' : 'primary'}>${this.say('login.useKey')}</button>
      </form>
    </section>`;
  }

  #submit(event: Event): void {
    event.preventDefault();
    this.tell('agenttier-api-key', { key: this.key });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-login': AgentTierLogin;
  }
}
