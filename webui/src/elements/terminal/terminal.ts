// SPDX-License-Identifier: Apache-2.0
import { NOTICES } from '@agenttier/crds/wire/terminal';
import type { ServerControl } from '@agenttier/crds/wire/terminal';
import { html, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { markInUse } from '../../data/sandboxes.ts';
import { openTerminal } from '../../data/terminal.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { clockText } from '../../text/time.ts';
import { TerminalLink } from './link.ts';
import type { LinkState } from './link.ts';
import { Screen } from './screen.ts';
import { styles } from './terminal.styles.ts';

/**
 * A terminal in a sandbox, which comes back by itself with nothing lost.
 *
 * @fires agenttier-terminal-state - `detail.state`
 * @fires agenttier-terminal-exit - `detail.code`
 * @fires agenttier-terminal-title - `detail.title`
 * @csspart screen - around the emulator
 * @csspart bar - state and tools
 * @cssprop --agenttier-terminal-background - behind the emulator
 */
@customElement('agenttier-terminal')
export class AgentTierTerminal extends AgentTierElement {
  static override styles = [baseStyles, controlStyles, styles];

  @property({ attribute: 'sandbox-id' }) sandboxId = '';
  @property() session = 'main';
  @property({ type: Boolean }) readonly = false;
  @property({ type: Number, attribute: 'font-size' }) fontSize = 14;
  @property({ type: Number }) scrollback = 10_000;
  @query('.screen') private place!: HTMLElement;
  @state() private state: LinkState = 'connecting';
  @state() private detail: { reason?: string; code?: number } = {};
  @state() private deadline: number | undefined;
  @state() private searching = false;
  #screen: Screen | undefined;
  #link: TerminalLink | undefined;
  #opened = '';
  #ticking: ReturnType<typeof setInterval> | undefined;
  #leaving = new AbortController();

  override focus(): void {
    this.#screen?.terminal.focus();
  }

  /** Types a text, as if by hand. */
  send(text: string): boolean {
    return this.#link?.send(new TextEncoder().encode(text)) ?? false;
  }

  /** What is kept of the output, as lines of text. */
  get text(): string {
    return this.#screen?.text ?? '';
  }

  clear(): void {
    this.#screen?.terminal.clear();
  }

  fit(): void {
    this.#screen?.fit();
  }

  search(text: string, backwards = false): boolean {
    return this.#screen?.find(text, backwards) ?? false;
  }

  copySelection(): Promise<void> {
    return navigator.clipboard.writeText(this.#screen?.terminal.getSelection() ?? '');
  }

  /** Begins anew, also after an end. */
  reconnect(): void {
    this.#link?.stop();
    this.#begin();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#leaving = new AbortController();
    const { signal } = this.#leaving;
    globalThis.addEventListener('online', () => this.#link?.hurry(), { signal });
    document.addEventListener('visibilitychange', () => document.hidden || this.#link?.hurry(), { signal });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#leaving.abort();
    this.#link?.stop();
    this.#screen?.dispose();
    clearInterval(this.#ticking);
    this.#screen = undefined;
    this.#link = undefined;
    this.#opened = '';
  }

  protected override updated(): void {
    if (this.#screen) this.#screen.terminal.options.fontSize = this.fontSize;
    const wanted = `${this.namespace}/${this.sandboxId}/${this.session}/${this.readonly}`;
    if (this.sandboxId === '' || this.source === undefined || wanted === this.#opened) return;
    this.#opened = wanted;
    void this.#open();
  }

  async #open(): Promise<void> {
    this.#link?.stop();
    this.#screen?.dispose();
    const { signal } = this.#leaving;
    const screen = await Screen.open(this.place, {
      fontSize: this.fontSize,
      scrollback: this.scrollback,
      onInput: (bytes) => void this.#link?.send(bytes),
      onResize: (cols, rows) => this.#link?.resize(cols, rows),
      onTitle: (title) => void this.tell('agenttier-terminal-title', { title }),
    });
    if (signal.aborted) return screen.dispose();
    this.#screen = screen;
    screen.terminal.textarea?.setAttribute(
      'aria-label',
      this.say('terminal.label', { name: this.sandboxId }),
    );
    this.#begin();
    this.focus();
  }

  #begin(): void {
    const screen = this.#screen;
    if (screen === undefined) return;
    const { sandboxId, namespace } = this;
    this.#link = new TerminalLink({
      open: (point) => {
        const { source } = this;
        if (source === undefined) throw new Error('no server');
        return openTerminal(source, { sandboxId, namespace }, point);
      },
      session: this.session,
      readonly: this.readonly,
      size: () => ({ cols: screen.terminal.cols, rows: screen.terminal.rows }),
      events: {
        state: (state, detail) => this.#setState(state, detail),
        output: (bytes, done) => screen.terminal.write(bytes, done),
        reset: () => screen.terminal.reset(),
        control: (frame) => this.#control(frame),
      },
    });
    this.#link.start();
  }

  #setState(state: LinkState, detail: { reason?: string; code?: number }): void {
    this.state = state;
    this.detail = detail;
    this.tell('agenttier-terminal-state', { state, ...detail });
    if (state === 'ended') this.tell('agenttier-terminal-exit', detail);
  }

  #control(frame: ServerControl): void {
    if (frame.type !== 'notice') return;
    if (frame.kind === NOTICES.idleWarning && frame.deadline) this.#countDown(Date.parse(frame.deadline));
    if (frame.kind === NOTICES.idleWarningOver) this.#countDown(undefined);
    if (frame.kind === NOTICES.draining) this.#link?.hurry();
  }

  #countDown(deadline: number | undefined): void {
    this.deadline = deadline;
    clearInterval(this.#ticking);
    if (deadline !== undefined) this.#ticking = setInterval(() => this.requestUpdate(), 1000);
  }

  protected override render() {
    return html`
      <div class="bar" part="bar">
        <span class="state" role="status">${this.#stateText()}</span>
        ${this.readonly ? html`<span class="muted">${this.say('terminal.readonly')}</span>` : nothing}
        ${this.#tools()}
      </div>
      <div class="screen" part="screen"></div>
      ${this.#footer()}
    `;
  }

  #stateText(): string {
    if (this.state === 'ended') return this.say('terminal.ended', { code: this.detail.code ?? 0 });
    if (this.state === 'closed') return this.say('terminal.closed', { reason: this.detail.reason ?? '' });
    return this.say(`terminal.${this.state}`);
  }

  #tools() {
    const size = (step: number) => () => (this.fontSize = Math.min(32, Math.max(8, this.fontSize + step)));
    return html`
      ${this.searching ? this.#searchField() : nothing}
      <button @click=${() => (this.searching = !this.searching)} aria-pressed=${this.searching}>
        ${this.say('terminal.search')}
      </button>
      <button @click=${size(-1)} aria-label=${this.say('terminal.smaller')}>A−</button>
      <button @click=${size(1)} aria-label=${this.say('terminal.larger')}>A+</button>
    `;
  }

  #searchField() {
    return html`<input
      type="search"
      aria-label=${this.say('terminal.search')}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === 'Enter') this.search((event.target as HTMLInputElement).value, event.shiftKey);
      }}
    />`;
  }

  #footer() {
    if (this.state === 'ended' || this.state === 'closed') {
      return html`<div class="note ${this.state === 'closed' ? 'bad' : ''}">
        <span>${this.#stateText()}</span>
        <button @click=${() => this.reconnect()}>${this.say('terminal.again')}</button>
      </div>`;
    }
    if (this.deadline === undefined) return nothing;
    return html`<div class="note warn" role="alert">
      <span>${this.say('terminal.warning', { left: clockText(this.deadline - Date.now()) })}</span>
      <button @click=${() => void this.#keep()}>${this.say('terminal.keep')}</button>
    </div>`;
  }

  /** Says that it is in use, without typing anything into what may be an editor. */
  async #keep(): Promise<void> {
    const { sandboxId, namespace } = this;
    await this.attempt((server) => markInUse(server, { sandboxId, namespace }));
    this.focus();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-terminal': AgentTierTerminal;
  }
}
