// SPDX-License-Identifier: Apache-2.0
import { css, html } from 'lit';
import type { PropertyValues } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { mergeStyles } from './merge.styles.ts';
import { TextPane } from './pane.ts';
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
    mergeStyles,
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
  readonly #pane = new TextPane(() => this.place);

  /** The text as it is now. */
  get text(): string {
    return this.#pane.text ?? this.value;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#pane.clear();
  }

  protected override updated(changed: PropertyValues<this>): void {
    const other = changed.has('theirs') || changed.has('readonly') || changed.has('label');
    if (other || this.#pane.text === undefined) void this.#build();
    else if (changed.has('value')) this.#pane.replace(this.value);
    this.#pane.mark(this.problems);
  }

  protected override render() {
    return html`<div class="place"></div>`;
  }

  async #build(): Promise<void> {
    const { label, readonly, theirs } = this;
    const merging = theirs !== undefined;
    await this.#pane.show({
      text: this.#pane.merged ?? this.value,
      label: merging ? this.say('editor.mine') : label,
      language: 'yaml',
      readonly,
      onChange: () => void (merging || this.tell('agenttier-yaml-change', { text: this.text })),
      ...(merging
        ? { theirs: { text: theirs, label: this.say('editor.theirs'), take: this.say('editor.take') } }
        : {}),
    });
    this.#pane.mark(this.problems);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-yaml-editor': AgentTierYamlEditor;
  }
}
