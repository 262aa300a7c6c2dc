// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { LeavingController } from '../../controllers/leaving.ts';
import { ResourceController } from '../../controllers/resource.ts';
import { lastName, shownName } from '../../data/filePaths.ts';
import type { FilePath } from '../../data/filePaths.ts';
import { readText, saveText } from '../../data/files.ts';
import type { Opened, TextSaved } from '../../data/files.ts';
import type { Problem } from '../../data/problem.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { sizeText } from '../../text/numbers.ts';
import type { TextKey } from '../../text/text.ts';
import { languageOf } from '../yaml-editor/languageOf.ts';
import { mergeStyles } from '../yaml-editor/merge.styles.ts';
import { TextPane } from '../yaml-editor/pane.ts';

/** What somebody else has done to the file since it was read. */
type Conflict = 'changed' | 'gone' | 'notText';

const CONFLICT_TEXT: Record<Conflict, TextKey> = {
  changed: 'fileEditor.conflict',
  gone: 'fileEditor.gone',
  notText: 'fileEditor.notText',
};

/**
 * A text file of a sandbox. What is saved replaces the file that was read and no other one: when somebody else has
 * changed it, both texts are shown, and nothing is overwritten unseen.
 *
 * @fires agenttier-file-saved - `detail` is the path and the ETag of what is stored
 * @fires agenttier-file-conflict - `detail.path` was changed by somebody else meanwhile
 * @fires agenttier-file-close - the person wants to see the folder again
 * @cssprop --agenttier-editor-height - default 32rem
 */
@customElement('agenttier-file-editor')
export class AgentTierFileEditor extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    mergeStyles,
    css`
      :host {
        display: grid;
        gap: 0.75rem;
      }
      .bar {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.5rem 0.75rem;
      }
      h3 {
        flex: 1 1 12rem;
        font-size: 0.9375rem;
        overflow-wrap: anywhere;
      }
      .place {
        height: var(--agenttier-editor-height, 32rem);
        overflow: auto;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
      }
      .place[hidden] {
        display: none;
      }
    `,
  ];

  @property({ attribute: 'sandbox-id' }) sandboxId = '';
  /** Of the file, percent-encoded. */
  @property() path: FilePath = '';
  @property({ type: Boolean }) readonly = false;
  @state() private conflict: Conflict | undefined;
  @state() private problem: Problem | undefined;
  @state() private isDirty = false;
  @state() private isSaved = false;
  @state() private isSaving = false;
  @query('.place') private place!: HTMLElement;
  /** Of the file that the text was made from; undefined = there is none. */
  #etag: string | undefined;
  readonly #leaving = new LeavingController(this, {
    wouldLose: () => this.isDirty,
    question: () => this.say('fileEditor.leave', { name: this.#name }),
  });
  readonly #pane = new TextPane(() => this.place);

  readonly #file = new ResourceController<Opened>(this, {
    server: () => this.source,
    load: async (server, signal) => {
      const opened = await readText(server, this.#key, this.path, signal);
      if (opened.kind === 'text') {
        this.#etag = opened.file.etag;
        void this.updateComplete.then(() => this.#show(opened.file.text));
      }
      return opened;
    },
    follows: [],
    onError: (error) => this.tell('agenttier-error', error),
  });

  get #key() {
    return { sandboxId: this.sandboxId, namespace: this.namespace };
  }

  get #name(): string {
    return shownName(lastName(this.path));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#pane.clear();
  }

  /** Nothing would be lost, or the person says that it may. */
  mayLeave(): boolean {
    return this.#leaving.mayLeave();
  }

  /** Stores the text, unless the file is another by now than the one that was read. */
  async save(): Promise<void> {
    const { text } = this.#pane;
    if (text === undefined || this.isSaving || this.readonly) return;
    this.isSaving = true;
    this.problem = await this.attempt(async (server) => {
      const saved = await saveText(server, this.#key, this.path, { text, etag: this.#etag });
      if (saved.outcome === 'saved') return this.#stored(text, saved.etag);
      return this.#lost(text, saved);
    });
    this.isSaving = false;
  }

  protected override render() {
    const { value, error } = this.#file;
    return html`
      ${this.#bar(value)}
      ${value === undefined ? this.#waiting(error) : this.#notes(value)}
      <div class="place" ?hidden=${value?.kind !== 'text'} @keydown=${(event: KeyboardEvent) => this.#pressed(event)}></div>
    `;
  }

  #bar(value: Opened | undefined) {
    const state = this.isDirty ? 'fileEditor.unsaved' : this.isSaved ? 'fileEditor.saved' : undefined;
    return html`<div class="bar">
      <button @click=${() => this.#close()}>${this.say('fileEditor.close')}</button>
      <h3 class="mono">${shownName(this.path)}</h3>
      <span class="muted" role="status">${state === undefined ? nothing : this.say(state)}</span>
      ${
        value?.kind === 'text' && !this.readonly
          ? html`<button class="primary" ?disabled=${this.isSaving} @click=${() => void this.save()}>
            ${this.say('fileEditor.save')}
          </button>`
          : nothing
      }
    </div>`;
  }

  #waiting(error: Problem | undefined) {
    return html`<div class=${error ? 'note bad' : 'muted'} role="status">
      <span>${error?.message ?? this.say('state.loading')}</span>
      ${error ? html`<button @click=${() => void this.#file.reload()}>${this.say('state.retry')}</button>` : nothing}
    </div>`;
  }

  #notes(value: Opened) {
    if (value.kind !== 'text') {
      const size = sizeText(value.size, this.lang);
      return html`<p class="note">${this.say(`fileEditor.${value.kind}`, { name: this.#name, size })}</p>`;
    }
    return html`
      ${this.conflict ? html`<p class="note warn" role="alert">${this.say(CONFLICT_TEXT[this.conflict])}</p>` : nothing}
      ${this.problem ? html`<p class="note bad" role="alert">${this.problem.message}</p>` : nothing}
    `;
  }

  #show(text: string, theirs?: string): Promise<void> {
    return this.#pane.show({
      text,
      label:
        theirs === undefined ? this.say('fileEditor.label', { name: this.#name }) : this.say('editor.mine'),
      language: languageOf(this.#name),
      readonly: this.readonly,
      onChange: () => this.#typed(),
      ...(theirs === undefined
        ? {}
        : { theirs: { text: theirs, label: this.say('editor.theirs'), take: this.say('editor.take') } }),
    });
  }

  #typed(): void {
    this.isDirty = true;
    this.isSaved = false;
  }

  async #stored(text: string, etag: string): Promise<void> {
    const wasMerging = this.#pane.merged !== undefined;
    this.#etag = etag;
    this.conflict = undefined;
    // What was typed while it was on its way is not stored yet.
    const now = this.#pane.text ?? text;
    this.isDirty = now !== text;
    this.isSaved = !this.isDirty;
    if (wasMerging) await this.#show(now);
    this.tell('agenttier-file-saved', { path: this.path, etag });
  }

  async #lost(text: string, { current }: Extract<TextSaved, { outcome: 'changed' }>): Promise<void> {
    if (current?.kind === 'text' && current.file.text === text) return this.#stored(text, current.file.etag);
    this.isDirty = true;
    this.conflict = current === undefined ? 'gone' : current.kind === 'text' ? 'changed' : 'notText';
    this.tell('agenttier-file-conflict', { path: this.path });
    if (current === undefined) this.#etag = undefined;
    if (current?.kind !== 'text') return;
    this.#etag = current.file.etag;
    await this.#show(this.#pane.text ?? text, current.file.text);
  }

  #pressed(event: KeyboardEvent): void {
    if (event.key !== 's' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void this.save();
  }

  #close(): void {
    if (!this.mayLeave()) return;
    this.isDirty = false;
    this.tell('agenttier-file-close');
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-file-editor': AgentTierFileEditor;
  }
}
