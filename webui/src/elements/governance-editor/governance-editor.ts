// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { stringify } from 'yaml';
import { EditingController } from '../../controllers/editing.ts';
import { fieldsOf } from '../../controllers/fields.ts';
import { LeavingController } from '../../controllers/leaving.ts';
import { ResourceController } from '../../controllers/resource.ts';
import { deletePolicy, getBounds, listPolicies, savePolicy, tryPolicy } from '../../data/policies.ts';
import type { Bounds, PolicyUsage, StoredPolicy, Violators } from '../../data/policies.ts';
import type { Spec } from '../../data/saved.ts';
import { AgentTierElement } from '../../element.ts';
import { bars, figureStyles, toneOf } from '../../parts/figures.ts';
import { shown } from '../../parts/states.ts';
import type { Say } from '../../parts/states.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { sideListStyles } from '../../styles/sideList.ts';
import { tableStyles } from '../../styles/tables.ts';
import { editingTools, editingView } from '../yaml-editor/editing.ts';
import type { AgentTierYamlEditor } from '../yaml-editor/yaml-editor.ts';
import './effective-policy.ts';
import { usedShare } from './usage.ts';
import { violatorsView } from './violators.ts';

/**
 * The policies of the cluster and of namespaces, with an editor, what is in force and how much of it is used. Admission is
 * asked while one types. With `namespace` it begins with that namespace's. `readonly` for people who may only look on.
 *
 * @fires agenttier-policy-saved - `detail.namespace`, empty for the cluster's
 * @fires agenttier-policy-deleted - `detail.namespace`
 */
@customElement('agenttier-governance-editor')
export class AgentTierGovernanceEditor extends AgentTierElement {
  static override styles = [baseStyles, controlStyles, tableStyles, figureStyles, sideListStyles];

  @property({ type: Boolean }) readonly = false;
  @query('agenttier-yaml-editor') private editor: AgentTierYamlEditor | undefined;
  /** Namespaces that have no policy yet and are to get one. */
  @state() private added: readonly string[] = [];
  /** Whom the text that is typed would refuse; undefined = it has not been asked. */
  @state() private violators: Violators | undefined;

  readonly #policies = new ResourceController<readonly StoredPolicy[]>(this, {
    server: () => this.source,
    load: async (server, signal) => {
      const policies = await listPolicies(server, signal);
      if (!this.#editing.open) this.#choose(namedOf(policies, this.namespace));
      return policies;
    },
    follows: ['policy'],
  });
  readonly #bounds = new ResourceController<Bounds>(this, {
    server: () => (this.#editing.open ? this.source : undefined),
    load: (server, signal) => getBounds(server, this.#chosen, signal),
    follows: ['policy', 'sandbox'],
  });
  readonly #editing = new EditingController<StoredPolicy>(this, {
    textOf,
    judge: (base, spec, signal) => this.#judge(base, spec, signal),
    store: (server, base, spec) => savePolicy(server, base ?? { namespace: '', policy: {} }, spec),
    attempt: (action) => this.attempt(action),
    onSaved: (policy) => this.#stored(policy),
  });
  readonly #leaving = new LeavingController(this, {
    wouldLose: () => this.#editing.changed,
    question: () => this.say('editor.leave'),
  });
  readonly #say: Say = (key, params) => this.say(key, params);

  /** Asks the server now. What is being edited stays. */
  refresh(): Promise<void> {
    return this.#policies.reload();
  }

  get #chosen(): string {
    return this.#editing.base?.namespace ?? '';
  }

  protected override render() {
    return shown(
      this.#say,
      this.#policies,
      (policies) => html`${this.#list(policies)}
        <div class="edit">${this.#edit()} ${shown(this.#say, this.#bounds, (bounds) => this.#inForce(bounds))}</div>`,
    );
  }

  #list(policies: readonly StoredPolicy[]) {
    const known = new Set(policies.map(({ namespace }) => namespace));
    const added = this.added.filter((namespace) => !known.has(namespace));
    return html`<nav aria-label=${this.say('governance.policies')}>
      ${[...policies, ...added.map((namespace) => ({ namespace, policy: {} }))].map((policy) => this.#entry(policy))}
      ${
        this.readonly
          ? nothing
          : html`<form @submit=${(event: SubmitEvent) => this.#add(event, policies)}>
              <input
                name="namespace"
                required
                pattern="[a-z0-9]([a-z0-9\\-]*[a-z0-9])?"
                autocomplete="off"
                aria-label=${this.say('create.namespace')}
                placeholder=${this.say('create.namespace')}
              />
              <button>${this.say('governance.add')}</button>
            </form>`
      }
    </nav>`;
  }

  #entry(policy: StoredPolicy) {
    const fields = Object.keys(policy.policy).length;
    return html`<button
      aria-current=${this.#editing.open && this.#chosen === policy.namespace}
      @click=${() => void (this.#leaving.mayLeave() && this.#choose(policy))}
    >
      ${this.#nameOf(policy)}
      <small>${fields === 0 ? this.say('governance.unset') : this.say('governance.fields', { count: fields })}</small>
    </button>`;
  }

  #nameOf({ namespace }: Pick<StoredPolicy, 'namespace'>): string {
    return namespace === '' ? this.say('governance.cluster') : namespace;
  }

  #judge(
    base: StoredPolicy | undefined,
    spec: Spec,
    signal: AbortSignal,
  ): Promise<readonly string[]> | undefined {
    if (this.source === undefined || base === undefined || this.readonly) return undefined;
    this.violators = undefined;
    return tryPolicy(this.source, base, spec, signal).then(({ warnings, violators }) => {
      if (!signal.aborted) this.violators = violators;
      return warnings;
    });
  }

  #choose(policy: StoredPolicy): void {
    this.violators = undefined;
    this.#editing.begin(policy);
    void this.#bounds.reload();
  }

  #add(event: SubmitEvent, policies: readonly StoredPolicy[]): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const namespace = fieldsOf(form)('namespace');
    form.reset();
    this.added = [...new Set([...this.added, namespace])];
    this.#choose(namedOf(policies, namespace));
  }

  #edit() {
    const { base } = this.#editing;
    if (base === undefined) return nothing;
    return html`<div class="bar">
        <h2>${this.#nameOf(base)}</h2>
        ${this.readonly ? nothing : this.#buttons(base)}
      </div>
      ${editingView(this.#say, this.#editing, {
        label: 'governance.text',
        kind: base.namespace === '' ? 'ClusterGovernancePolicy' : 'GovernancePolicy',
        conflict: 'governance.conflict',
        theme: this.theme,
        readonly: this.readonly,
      })}
      ${this.violators === undefined ? this.#counted(base) : violatorsView(this.#say, this.violators)}`;
  }

  /** How many the stored text would refuse. */
  #counted({ namespace }: StoredPolicy) {
    const { wouldViolate: count = 0 } = namedOf(this.#policies.value ?? [], namespace);
    return count === 0
      ? nothing
      : html`<p class="note warn" role="status">${this.say('governance.wouldViolate', { count })}</p>`;
  }

  #buttons(base: StoredPolicy) {
    return html`${
      base.version === undefined
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

  #stored({ namespace }: StoredPolicy): void {
    this.violators = undefined;
    this.tell('agenttier-policy-saved', { namespace });
    void this.#policies.reload();
    void this.#bounds.reload();
  }

  async #delete(policy: StoredPolicy): Promise<void> {
    const { namespace } = policy;
    if (!globalThis.confirm(this.say('governance.confirmDelete', { name: this.#nameOf(policy) }))) return;
    this.#editing.problem = await this.attempt(async (server) => {
      await deletePolicy(server, policy);
      this.#choose({ namespace, policy: {} });
      this.tell('agenttier-policy-deleted', { namespace });
    });
    await this.#policies.reload();
  }

  #inForce({ usage, effective }: Bounds) {
    return html`<div class="panels">
      ${usage.map((scope) => this.#usage(scope))} ${
        effective
          ? html`<agenttier-effective-policy .view=${effective} .delegated=${this.#delegated} theme=${this.theme} lang=${this.lang}></agenttier-effective-policy>`
          : nothing
      }
    </div>`;
  }

  /** Fields that the cluster leaves to namespaces. */
  get #delegated(): readonly string[] {
    const { policy } = namedOf(this.#policies.value ?? [], '');
    return (policy['delegated'] as readonly string[] | undefined) ?? [];
  }

  #usage({ scope, namespace = '', rows }: PolicyUsage) {
    const name = this.#nameOf({ namespace: scope === 'cluster' ? '' : namespace });
    return html`<section class="panel">
      <h2>${this.say('governance.usage', { name })}</h2>
      ${bars(
        rows.map((row) => {
          const share = usedShare(row);
          const { dimension, user, used, limit } = row;
          return {
            name: user === undefined ? dimension : `${dimension} · ${user}`,
            figure: limit === undefined ? String(used) : this.say('capacity.of', { used, total: limit }),
            share: share ?? 0,
            tone: share === undefined ? 'muted' : toneOf(share),
          };
        }),
      )}
    </section>`;
  }
}

function namedOf(policies: readonly StoredPolicy[], namespace: string): StoredPolicy {
  return policies.find((policy) => policy.namespace === namespace) ?? { namespace, policy: {} };
}

/** No field is an empty text rather than a pair of braces that one has to know what to do with. */
function textOf({ policy }: StoredPolicy): string {
  return Object.keys(policy).length === 0 ? '' : stringify(policy);
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-governance-editor': AgentTierGovernanceEditor;
  }
}
