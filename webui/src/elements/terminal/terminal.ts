// SPDX-License-Identifier: Apache-2.0
import { NOTICES } from '@agenttier/crds/wire/terminal';
import type { NoticeFrame, Person, ServerControl } from '@agenttier/crds/wire/terminal';
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
import { blinks, Screen } from './screen.ts';
import { styles } from './terminal.styles.ts';

/**
 * A terminal in a sandbox, which comes back by itself with nothing lost.
 *
 * @fires agenttier-terminal-state - `detail.state`
 * @fires agenttier-terminal-exit - `detail.code`
 * @fires agenttier-terminal-title - `detail.title`
 * @fires agenttier-terminal-presence - `detail.people` are attached now, each with a name and a mode
 * @slot title - before the state, for whoever shows more than one terminal
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
  @state() private missed = false;
  @state() private selected = false;
  @state() private people: readonly Person[] = [];
  /** The person only looks on, whether or not that was asked for. */
  @state() private watching = false;
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

  /** Types what was copied, marked as pasted for programs that want to know. */
  async paste(): Promise<void> {
    this.#screen?.terminal.paste(await navigator.clipboard.readText());
    this.focus();
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
      onSelection: (some) => (this.selected = some),
      onKey: (event) => this.#key(event),
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
        watching: (on) => this.#setWatching(on),
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

  #setWatching(on: boolean): void {
    this.watching = on;
    const screen = this.#screen;
    if (screen === undefined) return;
    Object.assign(screen.terminal.options, { disableStdin: on, cursorBlink: !on && blinks() });
    if (!on) screen.follow(undefined);
  }

  /** What terminals on a desktop take for themselves; in a browser Ctrl-C and Ctrl-F are the program's. */
  #key(event: KeyboardEvent): boolean {
    if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return false;
    if (event.code === 'KeyC' && this.selected) void this.copySelection();
    else if (event.code === 'KeyF') this.#search(true);
    else return false;
    return true;
  }

  #search(on: boolean): void {
    this.searching = on;
    this.missed = false;
    void this.updateComplete.then(() => {
      if (on) this.renderRoot.querySelector<HTMLElement>('input[type=search]')?.focus();
      else this.focus();
    });
  }

  #control(frame: ServerControl): void {
    if (frame.type === 'presence') {
      this.people = frame.people;
      this.tell('agenttier-terminal-presence', { people: frame.people });
    }
    if (this.watching && (frame.type === 'ready' || frame.type === 'size')) this.#screen?.follow(frame);
    if (frame.type === 'notice') this.#notice(frame);
  }

  #notice(frame: NoticeFrame): void {
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
        <slot name="title"></slot>
        <span class="state" role="status">${this.#stateText()}</span>
        ${this.#peopleHere()}
        ${this.watching ? html`<span class="chip" title=${this.say('terminal.watching')}>${this.say('terminal.readonly')}</span>` : nothing}
        ${this.#tools()}
      </div>
      <div class="screen ${this.watching ? 'followed' : ''}" part="screen"></div>
      ${this.#footer()}
    `;
  }

  #stateText(): string {
    if (this.state === 'ended') return this.say('terminal.ended', { code: this.detail.code ?? 0 });
    if (this.state === 'closed') return this.say('terminal.closed', { reason: this.detail.reason ?? '' });
    return this.say(`terminal.${this.state}`);
  }

  #peopleHere() {
    if (this.people.length === 0) return nothing;
    return html`<ul class="people" aria-label=${this.say('terminal.people')}>
      ${this.people.map(({ name, mode }) => {
        const role = this.say(mode === 'view' ? 'terminal.watcher' : 'terminal.person', { name });
        return html`<li class=${mode} title=${role}>
          <span aria-hidden="true">${name}${mode === 'view' ? ` · ${this.say('terminal.view')}` : ''}</span
          ><span class="visually-hidden">${role}</span>
        </li>`;
      })}
    </ul>`;
  }

  #tools() {
    const size = (step: number) => () => (this.fontSize = Math.min(32, Math.max(8, this.fontSize + step)));
    return html`
      ${this.searching ? this.#searchField() : nothing}
      <button @click=${() => this.#search(!this.searching)} aria-pressed=${this.searching} aria-keyshortcuts="Control+Shift+F">
        ${this.say('terminal.search')}
      </button>
      <button ?disabled=${!this.selected} @click=${() => void this.copySelection()} aria-keyshortcuts="Control+Shift+C">
        ${this.say('terminal.copy')}
      </button>
      ${this.watching ? nothing : html`<button @click=${() => void this.paste()} aria-keyshortcuts="Control+Shift+V">${this.say('terminal.paste')}</button>`}
      <button @click=${size(-1)} title=${this.say('terminal.smaller')}>
        <span aria-hidden="true">A−</span><span class="visually-hidden">${this.say('terminal.smaller')}</span>
      </button>
      <button @click=${size(1)} title=${this.say('terminal.larger')}>
        <span aria-hidden="true">A+</span><span class="visually-hidden">${this.say('terminal.larger')}</span>
      </button>
    `;
  }

  #searchField() {
    const find = (backwards: boolean) => (): void => {
      const text = this.renderRoot.querySelector<HTMLInputElement>('input[type=search]')?.value ?? '';
      this.missed = text !== '' && !this.search(text, backwards);
    };
    return html`<input
        type="search"
        aria-label=${this.say('terminal.search')}
        aria-invalid=${this.missed}
        @input=${find(false)}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key === 'Enter') find(event.shiftKey)();
          if (event.key === 'Escape') this.#search(false);
        }}
      />
      ${this.missed ? html`<span class="muted" role="status">${this.say('terminal.noMatch')}</span>` : nothing}
      <button @click=${find(true)} aria-label=${this.say('terminal.previous')}>↑</button>
      <button @click=${find(false)} aria-label=${this.say('terminal.next')}>↓</button>`;
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
