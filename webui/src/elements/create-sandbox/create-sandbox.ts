// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';
import { customElement, query, state } from 'lit/decorators.js';
import { ResourceController } from '../../controllers/resource.ts';
import { problemOf } from '../../data/problem.ts';
import { createSandbox, tryCreate } from '../../data/sandboxes.ts';
import { listTemplates } from '../../data/templates.ts';
import type { Template } from '../../data/templates.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import type { TextKey } from '../../text/text.ts';
import { EMPTY_DRAFT, placed, sandboxOf } from './draft.ts';
import type { Draft, DraftField } from './draft.ts';

/** Typing pauses before the policy is asked. */
const JUDGE_AFTER_MS = 350;

type Verdict = 'none' | 'asking' | 'allowed' | 'refused';

/**
 * A dialog that makes a sandbox. While it is filled in, admission is asked what it would say, and each objection stands
 * at its field.
 *
 * @fires agenttier-sandbox-created - `detail.sandbox`
 * @fires agenttier-policy-violation - `detail.violations`
 */
@customElement('agenttier-create-sandbox')
export class AgentTierCreateSandbox extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    css`
      dialog {
        width: min(34rem, calc(100vw - 2rem));
        padding: 0;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
        color: var(--text);
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 45%);
      }
      form {
        display: grid;
        gap: 1rem;
        padding: 1.25rem;
      }
      .pair {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr));
        gap: 1rem;
      }
      summary {
        cursor: pointer;
        font-weight: 550;
      }
      details[open] summary {
        margin-block-end: 0.75rem;
      }
      .check {
        grid-template-columns: auto 1fr;
        align-items: center;
      }
      .check .problem {
        grid-column: 1 / -1;
      }
      footer {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.625rem;
      }
      footer .verdict {
        flex: 1;
      }
    `,
  ];

  @query('dialog') private dialog!: HTMLDialogElement;
  @state() private draft: Draft = EMPTY_DRAFT;
  @state() private problems: ReturnType<typeof placed> = new Map();
  @state() private verdict: Verdict = 'none';
  @state() private failure = '';
  @state() private creating = false;
  #judging: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #templates = new ResourceController<readonly Template[]>(this, {
    server: () => this.source,
    load: (server, signal) => listTemplates(server, this.namespace, signal),
    follows: ['template'],
  });

  /** Opens with an empty form. */
  show(template = ''): void {
    this.draft = { ...EMPTY_DRAFT, namespace: this.namespace, template };
    this.problems = new Map();
    this.verdict = 'none';
    this.failure = '';
    this.dialog.showModal();
  }

  close(): void {
    this.dialog.close();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#endJudging();
  }

  protected override render() {
    return html`<dialog aria-labelledby="title" @close=${() => this.#endJudging()}>
      <form @submit=${(event: Event) => void this.#submit(event)}>
        <h2 id="title">${this.say('create.title')}</h2>
        ${this.#text('name', 'create.name', { required: true, hint: this.say('create.nameHint') })}
        ${this.#templateField()} ${this.#text('namespace', 'create.namespace', { hint: 'default' })}
        <details>
          <summary>${this.say('create.more')}</summary>
          <div class="pair">
            ${this.#text('cpu', 'create.cpu', { hint: '2' })} ${this.#text('memory', 'create.memory', { hint: '4Gi' })}
            ${this.#text('storage', 'create.storage', { hint: '10Gi' })}
            ${this.#text('idleTimeout', 'create.idleTimeout', { hint: '1h' })}
          </div>
          ${this.#internetField()}
        </details>
        ${this.#elsewhere()}
        <footer>
          <span class="verdict muted" role="status">${this.#verdictText()}</span>
          <button type="button" @click=${() => this.close()}>${this.say('action.cancel')}</button>
          <button class="primary" ?disabled=${this.creating}>${this.say('action.create')}</button>
        </footer>
      </form>
    </dialog>`;
  }

  #text(
    field: Exclude<DraftField, 'internet'>,
    key: TextKey,
    options: { required?: boolean; hint?: string },
  ) {
    const problems = this.problems.get(field) ?? [];
    return html`<label>
      ${this.say(key)}
      <input
        name=${field}
        autocomplete="off"
        spellcheck="false"
        placeholder=${options.hint ?? ''}
        ?required=${options.required ?? false}
        aria-invalid=${problems.length > 0}
        aria-describedby=${`${field}-problem`}
        .value=${this.draft[field]}
        @input=${(event: Event) => this.#change({ [field]: (event.target as HTMLInputElement).value.trim() })}
      />
      <span id=${`${field}-problem`} class="problem">${problems.join(' ')}</span>
    </label>`;
  }

  #templateField() {
    const problems = this.problems.get('template') ?? [];
    const templates = this.#templates.value ?? [];
    return html`<label>
      ${this.say('create.template')}
      <select
        name="template"
        required
        aria-invalid=${problems.length > 0}
        aria-describedby="template-problem"
        @change=${(event: Event) => this.#change({ template: (event.target as HTMLSelectElement).value })}
      >
        <option value="" ?selected=${this.draft.template === ''}></option>
        ${templates.map(
          ({ name, description }) =>
            html`<option value=${name} ?selected=${this.draft.template === name}>
              ${description ? `${name} – ${description}` : name}
            </option>`,
        )}
      </select>
      <span id="template-problem" class="problem">${problems.join(' ')}</span>
    </label>`;
  }

  #internetField() {
    const problems = this.problems.get('internet') ?? [];
    return html`<label class="check">
      <input
        type="checkbox"
        name="internet"
        .checked=${this.draft.internet}
        @change=${(event: Event) => this.#change({ internet: (event.target as HTMLInputElement).checked })}
      />
      ${this.say('create.internet')}
      ${problems.length > 0 ? html`<span class="problem">${problems.join(' ')}</span>` : nothing}
    </label>`;
  }

  /** What belongs to no field of the form. */
  #elsewhere() {
    const problems = [...(this.problems.get('') ?? []), ...(this.failure ? [this.failure] : [])];
    if (problems.length === 0) return nothing;
    return html`<div class="note bad" role="alert">${problems.map((problem) => html`<span>${problem}</span>`)}</div>`;
  }

  #verdictText(): string {
    if (this.verdict === 'asking') return this.say('create.judging');
    return this.verdict === 'allowed' ? this.say('create.allowed') : '';
  }

  #change(change: Partial<Draft>): void {
    this.draft = { ...this.draft, ...change };
    this.failure = '';
    clearTimeout(this.#timer);
    if (this.draft.name === '' || this.draft.template === '') return;
    this.#timer = setTimeout(() => void this.#judge(), JUDGE_AFTER_MS);
  }

  /** A verdict on an older draft must not stand beside a newer one: each question takes the one before back. */
  async #judge(): Promise<void> {
    const { source } = this;
    if (source === undefined) return;
    this.#judging?.abort();
    const { signal } = (this.#judging = new AbortController());
    this.verdict = 'asking';
    try {
      await tryCreate(source, sandboxOf(this.draft), signal);
      if (!signal.aborted) this.#show('allowed', new Map());
    } catch (error) {
      if (signal.aborted) return;
      const { violations } = problemOf(error);
      this.#show(violations.length > 0 ? 'refused' : 'none', placed(violations));
    }
  }

  #show(verdict: Verdict, problems: ReturnType<typeof placed>): void {
    this.verdict = verdict;
    this.problems = problems;
  }

  async #submit(event: Event): Promise<void> {
    event.preventDefault();
    if (this.creating) return;
    this.#endJudging();
    this.creating = true;
    const error = await this.attempt(async (server) => {
      const sandbox = await createSandbox(server, sandboxOf(this.draft));
      this.close();
      this.tell('agenttier-sandbox-created', { sandbox });
    });
    this.creating = false;
    if (error === undefined) return;
    this.#show(error.violations.length > 0 ? 'refused' : 'none', placed(error.violations));
    this.failure = error.violations.length > 0 ? '' : error.message;
    if (error.violations.length > 0)
      this.tell('agenttier-policy-violation', { violations: error.violations });
  }

  #endJudging(): void {
    clearTimeout(this.#timer);
    this.#judging?.abort();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-create-sandbox': AgentTierCreateSandbox;
  }
}
