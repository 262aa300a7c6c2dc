// SPDX-License-Identifier: Apache-2.0
import { css, html } from 'lit';
import type { PropertyValues } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import type { TextEditor, TextMerge } from './editor.ts';
import type { TextProblem } from '../../controllers/yamlText.ts';

/**
 * A text of YAML with its problems in the margin. With `theirs` it shows what somebody else has stored meanwhile beside
 * it, to take over change by change.
 *
 * @fires agenttier-yaml-change - `detail.text`
 * @cssprop --agenttier-editor-height - default 26rem
 */
@customElement('agenttier-yaml-editor')
export class AgentTierYamlEditor extends AgentTierElement {
  static override styles = [
    baseStyles,
    css`
      :host {
        display: block;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        overflow: hidden;
        background: var(--surface);
      }
      .place {
        height: var(--agenttier-editor-height, 26rem);
        overflow: auto;
      }
    `,
  ];

  @property({ attribute: false }) value = '';
  /** What is stored now, when it is not what `value` was made from; undefined = there is no conflict. */
  @property({ attribute: false }) theirs: string | undefined;
  @property({ attribute: false }) problems: readonly TextProblem[] = [];
  @property() label = 'YAML';
  @property({ type: Boolean }) readonly = false;
  @query('.place') private place!: HTMLElement;
  #editor: TextEditor | undefined;
  #merge: TextMerge | undefined;

  /** The text as it is now. */
  get text(): string {
    return this.#merge?.text ?? this.#editor?.text ?? this.value;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#clear();
  }

  protected override updated(changed: PropertyValues<this>): void {
    const other = changed.has('theirs') || changed.has('readonly') || changed.has('label');
    if (other || (!this.#editor && !this.#merge)) void this.#build();
    else if (changed.has('value') && this.#editor) this.#editor.text = this.value;
    this.#editor?.mark(this.problems);
  }

  protected override render() {
    return html`<div class="place"></div>`;
  }

  /** The editor comes when the first one is shown: most people never open one. */
  async #build(): Promise<void> {
    const { TextEditor, TextMerge } = await import('./editor.ts');
    if (!this.isConnected) return;
    const text = this.#merge?.text ?? this.value;
    this.#clear();
    if (this.theirs !== undefined) {
      const theirs = { text: this.theirs, label: this.say('editor.theirs') };
      this.#merge = new TextMerge(this.place, theirs, { text, label: this.say('editor.mine') });
      return;
    }
    this.#editor = new TextEditor(text, {
      parent: this.place,
      label: this.label,
      readonly: this.readonly,
      onChange: (text) => void this.tell('agenttier-yaml-change', { text }),
    });
    this.#editor.mark(this.problems);
  }

  #clear(): void {
    this.#editor?.destroy();
    this.#merge?.destroy();
    this.#editor = undefined;
    this.#merge = undefined;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-yaml-editor': AgentTierYamlEditor;
  }
}
