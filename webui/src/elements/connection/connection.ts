// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';
import { customElement, state } from 'lit/decorators.js';
import type { Server } from '../../data/server.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';

/** A proxy that closes old streams, or a router that leaves for another, is no news. */
const PATIENCE_MS = 1_500;

/**
 * Says, for the whole page, that the server is away and that what is shown may be old, until it is back. Nothing is lost
 * meanwhile and nobody has to load the page again.
 *
 * @fires agenttier-connection - `detail.connected`
 * @csspart note - what is said
 */
@customElement('agenttier-connection')
export class AgentTierConnection extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    css`
      :host {
        position: fixed;
        inset-block-end: 1rem;
        inset-inline: 1rem;
        z-index: 9;
        display: grid;
        justify-items: center;
        pointer-events: none;
      }
      .note {
        background: var(--raised);
        box-shadow: 0 0.5rem 1.5rem rgb(0 0 0 / 22%);
        pointer-events: auto;
      }
    `,
  ];

  @state() private lost = false;
  #followed: Server | undefined;
  #ends: (() => void)[] = [];
  #patience: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#follow(undefined);
  }

  protected override willUpdate(): void {
    if (this.isConnected && this.source !== this.#followed) this.#follow(this.source);
  }

  #follow(server: Server | undefined): void {
    for (const end of this.#ends) end();
    this.#ends = [];
    clearTimeout(this.#patience);
    this.#followed = server;
    this.lost = false;
    if (server === undefined) return;
    const { changes } = server;
    this.#ends = [changes.onState((live) => this.#turn(live)), changes.listen(() => undefined)];
  }

  #turn(live: boolean): void {
    clearTimeout(this.#patience);
    if (live) this.#set(false);
    else this.#patience = setTimeout(() => this.#set(true), PATIENCE_MS);
  }

  #set(lost: boolean): void {
    if (this.lost === lost) return;
    this.lost = lost;
    this.tell('agenttier-connection', { connected: !lost });
  }

  protected override render() {
    return html`<div role="status">
      ${this.lost ? html`<p class="note warn" part="note">${this.say('connection.lost')}</p>` : nothing}
    </div>`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-connection': AgentTierConnection;
  }
}
