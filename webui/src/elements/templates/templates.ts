// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { stringify } from 'yaml';
import { ResourceController } from '../../controllers/resource.ts';
import { problemOf } from '../../data/problem.ts';
import type { Problem } from '../../data/problem.ts';
import {
  createTemplate,
  deleteTemplate,
  listTemplates,
  saveTemplate,
  tryTemplate,
} from '../../data/templates.ts';
import type { Template, TemplateSpec } from '../../data/templates.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { parseObject, placeOf } from '../yaml-editor/problems.ts';
import type { TextProblem } from '../yaml-editor/problems.ts';
import '../yaml-editor/yaml-editor.ts';
import type { AgentTierYamlEditor } from '../yaml-editor/yaml-editor.ts';
import { styles } from './templates.styles.ts';

const STARTER = `description: ""
inheritsFrom:
  kind: ClusterSandboxTemplate
  name: minimal-shell
resources:
  limits:
    cpu: "1"
    memory: 1Gi
`;
/** Typing pauses before admission is asked. */
const JUDGE_AFTER_MS = 400;

/** What is edited: an existing template, as it was read, or a new one. */
interface Draft {
  readonly base: Template | undefined;
  readonly name: string;
  readonly text: string;
}

/**
 * Templates and an editor for them. Admission is asked while one types; a template that somebody else has changed
 * meanwhile is shown beside one's own text, and nothing is overwritten unseen.
 *
 * @fires agenttier-template-select - `detail.template`
 * @fires agenttier-template-saved - `detail.template`
 */
@customElement('agenttier-templates')
export class AgentTierTemplates extends AgentTierElement {
  static override styles = [baseStyles, controlStyles, styles];

  @query('agenttier-yaml-editor') private editor: AgentTierYamlEditor | undefined;
  @state() private draft: Draft | undefined;
  @state() private marks: readonly TextProblem[] = [];
  @state() private problem: Problem | undefined;
  @state() private current: Template | undefined;
  @state() private saved = false;
  #judging: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #templates = new ResourceController<readonly Template[]>(this, {
    server: () => this.source,
    load: (server, signal) => listTemplates(server, this.namespace, signal),
    follows: ['template'],
  });

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.#judging?.abort();
  }

  protected override render() {
    const { value, error } = this.#templates;
    if (value === undefined)
      return html`<p class="muted" role="status">${error?.message ?? this.say('state.loading')}</p>`;
    return html`
      <nav aria-label=${this.say('nav.templates')}>
        <button @click=${() => this.#edit({ base: undefined, name: '', text: STARTER })}>
          + ${this.say('template.new')}
        </button>
        ${value.map((template) => this.#entry(template))}
      </nav>
      ${this.draft ? this.#editing(this.draft) : html`<p class="empty muted">${this.say('template.choose')}</p>`}
    `;
  }

  #entry(template: Template) {
    const { name, namespace, description } = template;
    const chosen = this.draft?.base?.name === name && this.draft.base.namespace === namespace;
    return html`<button aria-current=${chosen} @click=${() => this.#select(template)}>
      ${name}<small>${namespace ? `${namespace} · ` : ''}${description}</small>
    </button>`;
  }

  #editing({ base, name, text }: Draft) {
    return html`<div class="edit">
      <div class="bar">
        ${base === undefined ? this.#nameField(name) : html`<h2>${base.name}</h2>`}
        ${
          base === undefined
            ? nothing
            : html`<button class="quiet danger" @click=${() => void this.#delete(base)}>${this.say('action.delete')}</button>`
        }
        <button class="primary" @click=${() => void this.#save()}>${this.say('template.save')}</button>
      </div>
      ${this.#notes()}
      <agenttier-yaml-editor
        .value=${text}
        .theirs=${this.current === undefined ? undefined : textOf(this.current)}
        .problems=${this.marks}
        label=${this.say('template.spec')}
        theme=${this.theme}
        @agenttier-yaml-change=${(event: CustomEvent<{ text: string }>) => this.#typed(event.detail.text)}
      ></agenttier-yaml-editor>
    </div>`;
  }

  #nameField(name: string) {
    return html`<input
      aria-label=${this.say('create.name')}
      placeholder=${this.say('create.name')}
      .value=${name}
      @input=${(event: Event) => {
        const typed = (event.target as HTMLInputElement).value.trim();
        if (this.draft) this.draft = { ...this.draft, name: typed };
      }}
    />`;
  }

  #notes() {
    return html`
      ${this.current ? html`<p class="note warn" role="alert">${this.say('template.conflict')}</p>` : nothing}
      ${
        this.problem
          ? html`<div class="note bad" role="alert">
            ${
              this.problem.violations.length > 0
                ? this.problem.violations.map(({ field, message }) => html`<span>${field}: ${message}</span>`)
                : this.problem.message
            }
          </div>`
          : nothing
      }
      ${this.saved ? html`<p class="note" role="status">${this.say('template.saved')}</p>` : nothing}
    `;
  }

  #select(template: Template): void {
    this.#edit({ base: template, name: template.name, text: textOf(template) });
    this.tell('agenttier-template-select', { template });
  }

  #edit(draft: Draft): void {
    this.draft = draft;
    this.marks = [];
    this.problem = undefined;
    this.current = undefined;
    this.saved = false;
  }

  #typed(text: string): void {
    if (this.draft === undefined) return;
    this.draft = { ...this.draft, text };
    this.saved = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#judge(text), JUDGE_AFTER_MS);
  }

  async #judge(text: string): Promise<void> {
    const parsed = parseObject(text);
    if (!parsed.ok) {
      this.marks = parsed.problems;
      return;
    }
    const violations = await this.#ask(parsed.value);
    this.marks =
      violations?.map(({ field, message }) => ({ ...placeOf(parsed.document, field), message })) ??
      this.marks;
  }

  /** Admission's objections to a spec; undefined when there is nothing to ask about, or a newer text to ask about. */
  async #ask(spec: TemplateSpec): Promise<Problem['violations'] | undefined> {
    const { draft, source } = this;
    if (source === undefined || draft === undefined || draft.name === '') return undefined;
    this.#judging?.abort();
    const { signal } = (this.#judging = new AbortController());
    const { base, name } = draft;
    const key = { name, namespace: base?.namespace ?? this.namespace, exists: base !== undefined };
    const error = await tryTemplate(source, key, spec, signal).then(() => undefined, problemOf);
    return signal.aborted ? undefined : (error?.violations ?? []);
  }

  async #save(): Promise<void> {
    const { draft, editor } = this;
    const parsed = parseObject(editor?.text ?? '');
    if (!parsed.ok) this.marks = parsed.problems;
    if (draft === undefined || !parsed.ok) return;
    const base = this.current ?? draft.base;
    this.problem = await this.attempt(async (server) => {
      if (base === undefined) {
        const { name } = draft;
        return this.#stored(await createTemplate(server, { name, namespace: this.namespace }, parsed.value));
      }
      const result = await saveTemplate(server, base, parsed.value);
      if (result.outcome === 'saved') return this.#stored(result.template);
      this.draft = { ...draft, text: editor?.text ?? draft.text };
      this.current = result.current;
    });
  }

  #stored(template: Template): void {
    this.#edit({ base: template, name: template.name, text: textOf(template) });
    this.saved = true;
    this.tell('agenttier-template-saved', { template });
    void this.#templates.reload();
  }

  async #delete(template: Template): Promise<void> {
    if (!globalThis.confirm(this.say('template.confirmDelete', { name: template.name }))) return;
    this.problem = await this.attempt((server) => deleteTemplate(server, template));
    if (this.problem !== undefined) return;
    this.draft = undefined;
    await this.#templates.reload();
  }
}

const textOf = ({ spec }: Template): string => stringify(spec);

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-templates': AgentTierTemplates;
  }
}
