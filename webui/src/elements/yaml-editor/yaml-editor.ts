// SPDX-License-Identifier: Apache-2.0
import { css, html } from 'lit';
import type { PropertyValues } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import { parseDocument } from 'yaml';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { mergeStyles } from './merge.styles.ts';
import { faultsIn } from './offers.ts';
import { TextPane } from './pane.ts';
import { loadSchema } from './schemas.ts';
import type { SpecKind } from './schemas.ts';
import { parseObject } from '../../controllers/yamlText.ts';
import type { TextProblem } from '../../controllers/yamlText.ts';

/** A name that is half typed is no fault yet. */
const CHECK_AFTER_MS = 400;

/**
 * A text of YAML with its problems in the margin. With `kind` it is the spec of one: names and values are offered while
 * one types, what a name is for is shown under the pointer, and what there is not is marked. With `theirs` it shows what
 * is stored beside it, to take over change by change.
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
  /** Of whose spec it is: `SandboxTemplate`, `ClusterGovernancePolicy` or `GovernancePolicy`; empty = it is not known. */
  @property() kind: SpecKind | '' = '';
  @property() label = 'YAML';
  @property({ type: Boolean }) readonly = false;
  @query('.place') private place!: HTMLElement;
  readonly #pane = new TextPane(() => this.place);
  #faults: readonly TextProblem[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** The text as it is now. */
  get text(): string {
    return this.#pane.text ?? this.value;
  }

  /** Indents it as YAML is written; comments stay. False, and nothing happens, while it is no YAML. */
  format(): boolean {
    const parsed = parseObject(this.text);
    if (parsed.ok) this.#pane.replace(parsed.document.toString({ lineWidth: 0 }));
    return parsed.ok;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.#pane.clear();
  }

  protected override updated(changed: PropertyValues<this>): void {
    const other = (['theirs', 'readonly', 'label', 'kind'] as const).some((key) => changed.has(key));
    if (other || this.#pane.text === undefined) void this.#build();
    else if (changed.has('value')) this.#pane.replace(this.value);
    this.#mark();
  }

  protected override render() {
    return html`<div class="place"></div>`;
  }

  async #build(): Promise<void> {
    const { label, readonly, theirs, kind } = this;
    const merging = theirs !== undefined;
    await this.#pane.show({
      text: this.#pane.text ?? this.value,
      label: merging ? this.say('editor.mine') : label,
      language: 'yaml',
      kind: kind || undefined,
      readonly,
      onChange: () => this.#changed(),
      ...(merging
        ? { theirs: { text: theirs, label: this.say('editor.theirs'), take: this.say('editor.take') } }
        : {}),
    });
    void this.#check();
  }

  #changed(): void {
    this.tell('agenttier-yaml-change', { text: this.text });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#check(), CHECK_AFTER_MS);
  }

  /** What the schema alone tells, of what can be read; that the rest is no YAML is for whoever reads the text to say. */
  async #check(): Promise<void> {
    const schema = this.kind && (await loadSchema(this.kind));
    const document = parseDocument(this.text, { prettyErrors: false });
    this.#faults = schema ? faultsIn(document, schema, this.#wording) : [];
    this.#mark();
  }

  readonly #wording = {
    unknown: (name: string) => this.say('editor.unknown', { name }),
    noValue: (value: string, values: string) => this.say('editor.noValue', { value, values }),
  };

  /** One mark for one place: the server says of an unknown field what the schema has said already. */
  #mark(): void {
    const told = new Set(this.problems.map(({ from }) => from));
    this.#pane.mark([...this.problems, ...this.#faults.filter(({ from }) => !told.has(from))]);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-yaml-editor': AgentTierYamlEditor;
  }
}
