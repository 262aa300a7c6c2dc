// SPDX-License-Identifier: Apache-2.0
import { ContextProvider } from '@lit/context';
import { html, LitElement } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { connect, serverContext } from '../../data/server.ts';
import type { Credential, Server } from '../../data/server.ts';
import '../../generated/events.ts';

/**
 * Gives the elements inside it their server.
 *
 * @fires agenttier-auth-required - the server wants to know who asks, or does not know the one who does
 * @slot - the elements
 */
@customElement('agenttier-provider')
export class AgentTierProvider extends LitElement {
  @property({ attribute: 'api-base' }) apiBase = '/api/v1';
  /** A bearer token, asked for with each request. */
  @property({ attribute: false }) getToken: (() => Promise<string | undefined>) | undefined;
  /** The same, for whatever proves who asks; wins over `getToken`. */
  @property({ attribute: false }) getCredential: (() => Promise<Credential | undefined>) | undefined;

  readonly #context = new ContextProvider(this, { context: serverContext });

  /** What the elements inside speak through. */
  get server(): Server | undefined {
    return this.#context.value;
  }

  /** Somebody has signed in again: all elements inside ask anew. */
  renew(): void {
    this.#connect();
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (this.#context.value === undefined || changed.has('apiBase') || this.#knowsNow(changed))
      this.#connect();
  }

  /**
   * A page's script often runs after the elements are there, which have asked as nobody by then. Other changes count from
   * the next request on: frameworks make such a function anew with each drawing.
   */
  #knowsNow(changed: Map<string, unknown>): boolean {
    const knew = (name: 'getToken' | 'getCredential') =>
      changed.has(name) ? changed.get(name) !== undefined : this[name] !== undefined;
    return this.hasCredential && !knew('getToken') && !knew('getCredential');
  }

  private get hasCredential(): boolean {
    return this.getToken !== undefined || this.getCredential !== undefined;
  }

  #connect(): void {
    this.#context.setValue(
      connect({
        apiBase: this.apiBase,
        credential: () => this.#credential(),
        onUnauthorized: () =>
          void this.dispatchEvent(
            new CustomEvent('agenttier-auth-required', { bubbles: true, composed: true }),
          ),
      }),
    );
  }

  protected override render() {
    return html`<slot></slot>`;
  }

  async #credential(): Promise<Credential | undefined> {
    if (this.getCredential !== undefined) return this.getCredential();
    const token = await this.getToken?.();
    return token === undefined ? undefined : { kind: 'bearer', token };
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-provider': AgentTierProvider;
  }
}
