// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { stringify } from 'yaml';
import { EditingController } from '../../controllers/editing.ts';
import { fieldsOf } from '../../controllers/fields.ts';
import { LeavingController } from '../../controllers/leaving.ts';
import { ResourceController } from '../../controllers/resource.ts';
import type { Spec } from '../../data/saved.ts';
import {
  createTemplate,
  deleteTemplate,
  listTemplates,
  saveTemplate,
  tryTemplate,
} from '../../data/templates.ts';
import type { Template, TemplateKey } from '../../data/templates.ts';
import { problemOf } from '../../data/problem.ts';
import { currentUser } from '../../data/user.ts';
import type { User } from '../../data/user.ts';
import { AgentTierElement } from '../../element.ts';
import { editingTools, editingView } from '../yaml-editor/editing.ts';
import type { Say } from '../../parts/states.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { sideListStyles } from '../../styles/sideList.ts';
import { tableStyles } from '../../styles/tables.ts';
import type { AgentTierYamlEditor } from '../yaml-editor/yaml-editor.ts';
import { InheritedController, inheritedView } from './inherited.ts';

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
 * Templates and an editor for them, with what each says together with all that it inherits. Admission is asked while one
 * types; a template that somebody else has changed meanwhile is shown beside one's own text, and nothing is overwritten
 * unseen. With `namespace` that namespace's own are there, too.
 *
 * @fires agenttier-template-select - `detail.template`
 * @fires agenttier-template-saved - `detail.template`
 */
@customElement('agenttier-templates')
export class AgentTierTemplates extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    sideListStyles,
    tableStyles,
    css`
      nav h2 {
        margin-block: 0.75rem 0.25rem;
        font-size: 0.875rem;
      }
      nav form {
        margin-block: 0.75rem 0;
      }
      .inherited {
        gap: 0.5rem;
      }
      .inherited td:first-child {
        font-family: var(--mono);
        font-size: 0.8125rem;
      }
      .inherited tr:not(.own) td:last-child,
      .link {
        color: var(--accent);
      }
    `,
  ];

  @query('agenttier-yaml-editor') private editor: AgentTierYamlEditor | undefined;
  /** Of one that is new. */
  @state() private name = '';
  @state() private home = '';
  /** Why the person may not change the one that is shown. */
  @state() private locked = '';

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
  readonly #leaving = new LeavingController(this, {
    wouldLose: () => this.#editing.changed,
    question: () => this.say('editor.leave'),
  });
  readonly #inherited = new InheritedController(this, {
    server: () => this.source,
    edited: () => (this.#editing.open ? { key: this.#key, text: this.#editing.text } : undefined),
  });
  readonly #say: Say = (key, params) => this.say(key, params);
  readonly #templates = new ResourceController<readonly Template[]>(this, {
    server: () => this.source,
    load: (server, signal) => listTemplates(server, this.namespace, signal),
    follows: ['template'],
  });
  /** Only to offer nothing that is refused; without it the server has the say. */
  readonly #me = new ResourceController<User>(this, {
    server: () => this.source,
    load: currentUser,
    follows: [],
  });

  protected override render() {
    const { value, error } = this.#templates;
    if (value === undefined)
      return html`<p class="muted" role="status">${error?.message ?? this.say('state.loading')}</p>`;
    const { namespace } = this;
    return html`
      <nav aria-label=${this.say('nav.templates')}>
        ${
          namespace === ''
            ? nothing
            : this.#group(
                namespace,
                value.filter((one) => one.namespace === namespace),
              )
        }
        ${this.#group(
          '',
          value.filter((one) => !one.namespace),
        )}
        ${this.#namespaceForm()}
      </nav>
      ${this.#editing.open ? this.#edit() : html`<p class="empty muted">${this.say('template.choose')}</p>`}
    `;
  }

  #group(namespace: string, templates: readonly Template[]) {
    const place = namespace || this.say('template.cluster');
    return html`<h2>${place}</h2>
      ${
        this.#mayWrite(namespace)
          ? html`<button aria-label=${this.say('template.newIn', { place })} @click=${() => this.#new(namespace)}>
              + ${this.say('template.new')}
            </button>`
          : nothing
      }
      ${templates.length === 0 ? html`<p class="muted">${this.say('template.none')}</p>` : nothing}
      ${templates.map((template) => this.#entry(template))}`;
  }

  #entry(template: Template) {
    const { name, namespace, description } = template;
    const { base } = this.#editing;
    const chosen = this.#editing.open && base?.name === name && base.namespace === namespace;
    return html`<button class="entry" aria-current=${chosen} @click=${() => this.#select(template)}>
      ${name}<small>${description}</small>
    </button>`;
  }

  #namespaceForm() {
    return html`<form @submit=${(event: SubmitEvent) => this.#look(event)}>
      <input
        name="namespace"
        pattern="[a-z0-9]([a-z0-9\\-]*[a-z0-9])?"
        autocomplete="off"
        aria-label=${this.say('template.namespace')}
        placeholder=${this.say('create.namespace')}
        .value=${this.namespace}
      />
      <button>${this.say('template.show')}</button>
    </form>`;
  }

  #look(event: SubmitEvent): void {
    event.preventDefault();
    if (!this.#leaving.mayLeave()) return;
    this.#editing.end();
    this.namespace = fieldsOf(event.target as HTMLFormElement)('namespace');
    void this.#templates.reload();
  }

  #edit() {
    const { base } = this.#editing;
    return html`<div class="edit">
      <div class="bar">
        ${base === undefined ? this.#nameField() : html`<h2>${base.name}</h2>`}
        ${this.locked === '' ? this.#buttons(base) : nothing}
      </div>
      ${this.locked === '' ? nothing : html`<p class="note" role="status">${this.locked}</p>`}
      ${editingView(this.#say, this.#editing, {
        label: 'template.spec',
        kind: 'SandboxTemplate',
        conflict: 'template.conflict',
        theme: this.theme,
        readonly: this.locked !== '',
      })}
      ${inheritedView(this.#say, this.#inherited.value)}
    </div>`;
  }

  #buttons(base: Template | undefined) {
    return html`${
      base === undefined
        ? nothing
        : html`<button class="quiet danger" @click=${() => void this.#delete(base)}>
            ${this.say('action.delete')}
          </button>`
    }
      ${editingTools(this.#say, this.#editing, () => this.editor)}
      <button class="primary" @click=${() => void this.#editing.save(this.editor?.text ?? '')}>
        ${this.say('template.save')}
      </button>`;
  }

  #nameField() {
    return html`<input
      aria-label=${this.say('create.name')}
      placeholder=${this.say('create.name')}
      .value=${this.name}
      @input=${(event: Event) => (this.name = (event.target as HTMLInputElement).value.trim())}
    />`;
  }

  #new(namespace: string): void {
    if (!this.#leaving.mayLeave()) return;
    Object.assign(this, { name: '', home: namespace, locked: '' });
    this.#editing.begin(undefined, STARTER);
  }

  #select(template: Template): void {
    if (!this.#leaving.mayLeave()) return;
    this.locked = this.#mayWrite(template.namespace ?? '') ? '' : this.say('template.locked');
    this.#editing.begin(template);
    if (template.namespace) void this.#askRight(template);
    this.tell('agenttier-template-select', { template });
  }

  #mayWrite(namespace: string): boolean {
    return namespace !== '' || this.#me.value?.isAdmin !== false;
  }

  /** Who may write in a namespace is for RBAC there, which is asked by a write that stores nothing. */
  async #askRight(template: Template): Promise<void> {
    const { source } = this;
    if (source === undefined || this.#me.value?.isAdmin !== false) return;
    const { signal } = new AbortController();
    const refused = await tryTemplate(
      source,
      { ...keyOf(template), exists: true },
      template.spec,
      signal,
    ).then(
      () => undefined,
      (error: unknown) => problemOf(error),
    );
    if (refused?.status !== 403 || refused.violations.length > 0 || this.#editing.base !== template) return;
    this.locked = this.say('template.noRight', { message: refused.message });
  }

  get #newKey(): TemplateKey {
    return { name: this.name, namespace: this.home };
  }

  get #key(): TemplateKey {
    const { base } = this.#editing;
    return base === undefined ? this.#newKey : keyOf(base);
  }

  /** A new one without a name is nothing that could be asked about. */
  #judge(
    base: Template | undefined,
    spec: Spec,
    signal: AbortSignal,
  ): Promise<readonly string[]> | undefined {
    const { source } = this;
    const key = this.#key;
    if (source === undefined || key.name === '') return undefined;
    return tryTemplate(source, { ...key, exists: base !== undefined }, spec, signal);
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

const keyOf = ({ name, namespace }: Template): TemplateKey => ({ name, namespace });

function textOf({ spec }: Template): string {
  return stringify(spec);
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-templates': AgentTierTemplates;
  }
}
