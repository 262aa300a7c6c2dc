// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { stringify } from 'yaml';
import { EditingController } from '../../controllers/editing.ts';
import { ResourceController } from '../../controllers/resource.ts';
import type { Spec } from '../../data/saved.ts';
import {
  createTemplate,
  deleteTemplate,
  listTemplates,
  saveTemplate,
  tryTemplate,
} from '../../data/templates.ts';
import type { Template } from '../../data/templates.ts';
import { AgentTierElement } from '../../element.ts';
import { editingView } from '../yaml-editor/editing.ts';
import type { Say } from '../../parts/states.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { sideListStyles } from '../../styles/sideList.ts';
import type { AgentTierYamlEditor } from '../yaml-editor/yaml-editor.ts';

const STARTER = `description: ""
inheritsFrom:
  kind: ClusterSandboxTemplate
  name: minimal-shell
resources:
  limits:
    cpu: "1"
    memory: 1Gi
`;
/**
 * Templates and an editor for them. Admission is asked while one types; a template that somebody else has changed
 * meanwhile is shown beside one's own text, and nothing is overwritten unseen.
 *
 * @fires agenttier-template-select - `detail.template`
 * @fires agenttier-template-saved - `detail.template`
 */
@customElement('agenttier-templates')
export class AgentTierTemplates extends AgentTierElement {
  static override styles = [baseStyles, controlStyles, sideListStyles];

  @query('agenttier-yaml-editor') private editor: AgentTierYamlEditor | undefined;
  /** Of one that is new. */
  @state() private name = '';

  readonly #editing = new EditingController<Template>(this, {
    textOf,
    judge: (base, spec, signal) => this.#judge(base, spec, signal),
    store: async (server, base, spec) =>
      base === undefined
        ? { outcome: 'saved', value: await createTemplate(server, this.#newKey, spec) }
        : saveTemplate(server, base, spec),
    attempt: (action) => this.attempt(action),
    onSaved: (template) => this.#stored(template),
  });
  readonly #say: Say = (key, params) => this.say(key, params);
  readonly #templates = new ResourceController<readonly Template[]>(this, {
    server: () => this.source,
    load: (server, signal) => listTemplates(server, this.namespace, signal),
    follows: ['template'],
  });

  protected override render() {
    const { value, error } = this.#templates;
    if (value === undefined)
      return html`<p class="muted" role="status">${error?.message ?? this.say('state.loading')}</p>`;
    return html`
      <nav aria-label=${this.say('nav.templates')}>
        <button @click=${() => this.#new()}>
          + ${this.say('template.new')}
        </button>
        ${value.map((template) => this.#entry(template))}
      </nav>
      ${this.#editing.open ? this.#edit() : html`<p class="empty muted">${this.say('template.choose')}</p>`}
    `;
  }

  #entry(template: Template) {
    const { name, namespace, description } = template;
    const { base } = this.#editing;
    const chosen = this.#editing.open && base?.name === name && base.namespace === namespace;
    return html`<button aria-current=${chosen} @click=${() => this.#select(template)}>
      ${name}<small>${namespace ? `${namespace} · ` : ''}${description}</small>
    </button>`;
  }

  #edit() {
    const { base } = this.#editing;
    return html`<div class="edit">
      <div class="bar">
        ${base === undefined ? this.#nameField() : html`<h2>${base.name}</h2>`}
        ${
          base === undefined
            ? nothing
            : html`<button class="quiet danger" @click=${() => void this.#delete(base)}>${this.say('action.delete')}</button>`
        }
        <button class="primary" @click=${() => void this.#editing.save(this.editor?.text ?? '')}>
          ${this.say('template.save')}
        </button>
      </div>
      ${editingView(this.#say, this.#editing, {
        label: 'template.spec',
        kind: 'SandboxTemplate',
        conflict: 'template.conflict',
        theme: this.theme,
      })}
    </div>`;
  }

  #nameField() {
    return html`<input
      aria-label=${this.say('create.name')}
      placeholder=${this.say('create.name')}
      .value=${this.name}
      @input=${(event: Event) => (this.name = (event.target as HTMLInputElement).value.trim())}
    />`;
  }

  #new(): void {
    this.name = '';
    this.#editing.begin(undefined, STARTER);
  }

  #select(template: Template): void {
    this.#editing.begin(template);
    this.tell('agenttier-template-select', { template });
  }

  get #newKey() {
    return { name: this.name, namespace: this.namespace };
  }

  /** A new one without a name is nothing that could be asked about. */
  #judge(
    base: Template | undefined,
    spec: Spec,
    signal: AbortSignal,
  ): Promise<readonly string[]> | undefined {
    const { source } = this;
    const key = base ?? this.#newKey;
    if (source === undefined || key.name === '') return undefined;
    const { name, namespace } = key;
    return tryTemplate(source, { name, namespace, exists: base !== undefined }, spec, signal);
  }

  #stored(template: Template): void {
    this.tell('agenttier-template-saved', { template });
    void this.#templates.reload();
  }

  async #delete(template: Template): Promise<void> {
    if (!globalThis.confirm(this.say('template.confirmDelete', { name: template.name }))) return;
    this.#editing.problem = await this.attempt((server) => deleteTemplate(server, template));
    this.requestUpdate();
    if (this.#editing.problem !== undefined) return;
    this.#editing.end();
    await this.#templates.reload();
  }
}

function textOf({ spec }: Template): string {
  return stringify(spec);
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-templates': AgentTierTemplates;
  }
}
