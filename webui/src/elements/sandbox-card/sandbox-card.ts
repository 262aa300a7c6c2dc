// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { deleteSandbox, resumeSandbox, stopSandbox } from '../../data/sandboxes.ts';
import type { Sandbox } from '../../data/sandboxes.ts';
import type { Server } from '../../data/server.ts';
import type { SandboxAction, SandboxActionDetail } from '../../details.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { sinceText } from '../../text/time.ts';
import '../status-badge/status-badge.ts';
import { styles } from './sandbox-card.styles.ts';

const ACTIONS: Readonly<Record<SandboxAction, (server: Server, sandbox: Sandbox) => Promise<void>>> = {
  stop: stopSandbox,
  resume: resumeSandbox,
  delete: deleteSandbox,
};

/**
 * One sandbox: what it is, how it is, and what can be done with it.
 *
 * @fires agenttier-sandbox-action - before something is done; `preventDefault()` stops it
 * @fires agenttier-sandbox-changed - something was done
 * @fires agenttier-sandbox-open - the person wants its terminal or its settings, `detail.target` says which
 * @slot - after the details
 * @slot select - before the name
 * @csspart card - the frame
 * @csspart actions - the row of buttons
 */
@customElement('agenttier-sandbox-card')
export class AgentTierSandboxCard extends AgentTierElement {
  static override styles = [baseStyles, controlStyles, styles];

  @property({ attribute: false }) sandbox: Sandbox | undefined;
  /** Somebody else's, which the person may see because it is shared. */
  @property({ type: Boolean }) shared = false;
  /** It is on the page of its sandbox: neither its name nor the way there is said again. */
  @property({ type: Boolean }) alone = false;
  @state() private busy = false;
  @state() private problem = '';

  stop(): Promise<void> {
    return this.#act('stop');
  }

  resume(): Promise<void> {
    return this.#act('resume');
  }

  /** Asks first: what is deleted does not come back. */
  async discard(): Promise<void> {
    const name = this.sandbox?.name ?? '';
    if (globalThis.confirm(this.say('card.confirmDelete', { name }))) await this.#act('delete');
  }

  protected override render() {
    const { sandbox } = this;
    if (sandbox === undefined) return nothing;
    return html`<article part="card" aria-busy=${this.busy}>
      <header>
        <slot name="select"></slot>
        ${this.alone ? nothing : html`<h3>${sandbox.name}</h3>`}
        <span class="mode">${this.say(`mode.${sandbox.mode}`)}</span>
        <agenttier-status-badge .phase=${sandbox.status} theme=${this.theme}></agenttier-status-badge>
      </header>
      ${this.#details(sandbox)} ${this.#messages(sandbox)}
      <slot></slot>
      <footer part="actions">${this.#buttons(sandbox)}</footer>
    </article>`;
  }

  #details(sandbox: Sandbox) {
    const { createdBy, lastActivityAt } = sandbox;
    const owner = createdBy?.displayName || createdBy?.email || createdBy?.sub || '–';
    const used = lastActivityAt === undefined ? this.say('card.never') : this.#time(lastActivityAt);
    return html`<dl>
      <dt>${this.say('card.owner')}</dt>
      <dd>${owner}${this.shared ? html` <span class="mode">${this.say('card.shared')}</span>` : nothing}</dd>
      <dt>${this.say('card.template')}</dt>
      <dd>${sandbox.templateRef} <span class="muted">· ${sandbox.namespace}</span></dd>
      <dt>${this.say('card.created')}</dt>
      <dd>${this.#time(sandbox.createdAt)}</dd>
      <dt>${this.say('card.used')}</dt>
      <dd>${used}</dd>
    </dl>`;
  }

  #time(timestamp: string) {
    return html`<time datetime=${timestamp} title=${new Date(timestamp).toLocaleString()}
      >${sinceText(timestamp, this.lang)}</time
    >`;
  }

  #messages({ status, message, stopWarning }: Sandbox) {
    const error = this.problem || (status === 'Error' ? message : '');
    return html`${error ? html`<p class="message" role="status">${error}</p>` : nothing}
    ${stopWarning ? html`<p class="message warn">${stopWarning.message}</p>` : nothing}`;
  }

  #buttons({ status }: Sandbox) {
    const button = (key: 'stop' | 'resume' | 'delete', act: () => void, kind = '') =>
      html`<button class=${kind} ?disabled=${this.busy} @click=${act}>${this.say(`action.${key}`)}</button>`;
    const open = (target: 'terminal' | 'settings', kind = '') =>
      html`<button class=${kind} @click=${() => this.#open(target)}>${this.say(`action.${target}`)}</button>`;
    return html`
      ${status === 'Running' ? open('terminal', 'primary') : nothing}
      ${status === 'Running' || status === 'Creating' ? button('stop', () => void this.stop()) : nothing}
      ${status === 'Stopped' || status === 'Error' ? button('resume', () => void this.resume(), 'primary') : nothing}
      ${status === 'Deleting' || this.alone ? nothing : open('settings')}
      ${status === 'Deleting' ? nothing : button('delete', () => void this.discard(), 'quiet danger')}
    `;
  }

  #open(target: 'terminal' | 'settings'): void {
    const { sandbox } = this;
    if (sandbox !== undefined) this.tell('agenttier-sandbox-open', { sandbox, target });
  }

  async #act(action: SandboxAction): Promise<void> {
    const { sandbox } = this;
    if (sandbox === undefined || this.busy) return;
    const detail: SandboxActionDetail = { sandbox, action };
    if (!this.tell('agenttier-sandbox-action', detail, { cancelable: true })) return;
    this.busy = true;
    const error = await this.attempt((server) => ACTIONS[action](server, sandbox));
    this.busy = false;
    this.problem = error?.message ?? '';
    if (error === undefined) this.tell('agenttier-sandbox-changed', detail);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-sandbox-card': AgentTierSandboxCard;
  }
}
