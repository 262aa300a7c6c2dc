// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { fieldsOf } from '../../controllers/fields.ts';
import { ResourceController } from '../../controllers/resource.ts';
import { problemOf } from '../../data/problem.ts';
import type { Problem } from '../../data/problem.ts';
import { explainSandbox, tryUpdate, updateSandbox } from '../../data/sandboxes.ts';
import type { Changed, Explanation, Sandbox, SandboxChange } from '../../data/sandboxes.ts';
import { AgentTierElement } from '../../element.ts';
import { refusal, shown } from '../../parts/states.ts';
import type { Say } from '../../parts/states.ts';
import { valueText } from '../../parts/valueText.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';
import { originText } from '../sandbox-values/origin.ts';
import { changeOf, isTime, PATHS, TIMES } from './change.ts';
import type { LimitField } from './change.ts';

/** Typing pauses before admission is asked. */
const JUDGE_AFTER_MS = 400;
const FIELDS = Object.keys(PATHS) as LimitField[];

/**
 * How long a sandbox runs and how large it is, to be changed while it runs. Admission is asked while the form is filled
 * in, and each objection stands at its field.
 *
 * @fires agenttier-sandbox-changed - `detail` says what takes effect at once and what at the next start
 */
@customElement('agenttier-sandbox-limits')
export class AgentTierSandboxLimits extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    tableStyles,
    css`
      form {
        display: grid;
        gap: 1rem;
        max-width: 44rem;
      }
      .fields {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr));
        gap: 1rem;
      }
      .field {
        display: grid;
        gap: 0.5rem;
        align-content: start;
      }
      small {
        color: var(--muted);
        font-weight: 400;
      }
      label.check {
        display: flex;
        align-items: center;
        gap: 0.5rem;
      }
    `,
  ];

  @property({ attribute: false }) sandbox: Sandbox | undefined;
  @query('form') private form!: HTMLFormElement;
  @state() private verdict: 'unasked' | 'allowed' | Problem = 'unasked';
  @state() private changed: Changed | undefined;
  #judging = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #say: Say = (key, params) => this.say(key, params);
  readonly #values = new ResourceController<Explanation>(this, {
    server: () => (this.sandbox === undefined ? undefined : this.source),
    load: (server, signal) => explainSandbox(server, this.#key, signal),
    follows: ['sandbox', 'policy'],
  });

  get #key() {
    const { sandboxId = '', namespace = '' } = this.sandbox ?? {};
    return { sandboxId, namespace };
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
    this.#judging.abort();
  }

  protected override render() {
    return shown(this.#say, this.#values, ({ fields }) => this.#form(fields));
  }

  #form(fields: Explanation['fields']) {
    return html`<form @input=${() => this.#soon()} @submit=${(event: SubmitEvent) => void this.#save(event)}>
      <div class="fields">${FIELDS.map((field) => this.#field(field, fields))}</div>
      <label class="check">
        <input type="checkbox" name="autoResume" ?checked=${this.sandbox?.autoResume ?? false} />
        ${this.say('limits.autoResume')}
      </label>
      <p class="muted">${this.say('limits.hint')}</p>
      ${this.#outcome()}
      <div><button class="primary">${this.say('limits.save')}</button></div>
    </form>`;
  }

  #field(field: LimitField, fields: Explanation['fields']) {
    const now = fields.find((one) => one.field === PATHS[field]);
    const value = now?.value === undefined ? this.say('limits.unset') : valueText(now.value);
    const objections = this.#objections(field);
    const own = now?.origin === 'Sandbox' && isTime(field);
    return html`<div class="field"><label>
      ${this.say(`limits.${field}`)}
      <input
        name=${field}
        autocomplete="off"
        placeholder=${value}
        aria-invalid=${objections.length > 0}
        aria-describedby=${`about-${field}`}
      />
      <small id=${`about-${field}`}>
        ${now?.value === undefined ? nothing : this.say('limits.by', { value, origin: originText(this.#say, now.origin) })}
        ${now?.bounds.map(({ scope, limit }) => html`${this.say('limits.bound', { scope, limit })} `)}
        ${objections.map((one) => html`<span class="problem">${one}</span>`)}
      </small>
    </label>
    ${
      own
        ? html`<label class="check"><input type="checkbox" name="unset" value=${field} /> ${this.say('limits.takeAway')}</label>`
        : nothing
    }</div>`;
  }

  #objections(field: LimitField): readonly string[] {
    return this.#violations.flatMap((one) => (isAt(one.field, field) ? [one.message] : []));
  }

  get #violations(): Problem['violations'] {
    return typeof this.verdict === 'string' ? [] : this.verdict.violations;
  }

  /** What belongs to no field of the form, and how it went. */
  #outcome() {
    const { verdict, changed } = this;
    if (changed !== undefined) {
      const later = Object.entries(changed.applied).filter(([, when]) => when === 'on-restart');
      const fields = later.map(([field]) => field).join(', ');
      return html`<p class="note" role="status">
        ${later.length === 0 ? this.say('limits.atOnce') : this.say('limits.later', { fields })}
      </p>`;
    }
    if (verdict === 'allowed') return html`<p class="muted" role="status">${this.say('limits.allowed')}</p>`;
    if (verdict === 'unasked') return nothing;
    const elsewhere = verdict.violations.filter((one) => !FIELDS.some((field) => isAt(one.field, field)));
    if (verdict.violations.length > 0 && elsewhere.length === 0) return nothing;
    return refusal({ ...verdict, violations: elsewhere });
  }

  get #change(): SandboxChange | undefined {
    const value = fieldsOf(this.form);
    const typed = Object.fromEntries(FIELDS.map((field) => [field, value(field)])) as Record<
      LimitField,
      string
    >;
    const all = new FormData(this.form).getAll('unset');
    const unset = new Set(TIMES.filter((field) => all.includes(field)));
    const { checked: autoResume } = this.form.elements.namedItem('autoResume') as HTMLInputElement;
    const fields = this.#values.value?.fields ?? [];
    const before = this.sandbox?.autoResume ?? false;
    return changeOf({ ...typed, unset, autoResume }, before, fields);
  }

  #soon(): void {
    this.changed = undefined;
    clearTimeout(this.#timer);
    this.#judging.abort();
    this.#timer = setTimeout(() => void this.#judge(), JUDGE_AFTER_MS);
  }

  async #judge(): Promise<void> {
    const change = this.#change;
    const { source } = this;
    const { signal } = (this.#judging = new AbortController());
    if (source === undefined || change === undefined) return void (this.verdict = 'unasked');
    const verdict = await tryUpdate(source, this.#key, change, signal).then(
      () => 'allowed' as const,
      (error: unknown) => problemOf(error),
    );
    if (!signal.aborted) this.verdict = verdict;
  }

  async #save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    clearTimeout(this.#timer);
    this.#judging.abort();
    const change = this.#change;
    if (change === undefined) return;
    const problem = await this.attempt(async (server) => {
      this.changed = await updateSandbox(server, this.#key, change);
      this.tell('agenttier-sandbox-changed', this.changed);
    });
    this.verdict = problem ?? 'unasked';
    if (problem !== undefined) return;
    for (const field of FIELDS) (this.form.elements.namedItem(field) as HTMLInputElement).value = '';
    for (const box of this.form.querySelectorAll<HTMLInputElement>('[name=unset]')) box.checked = false;
    await this.#values.reload();
  }
}

/** A violation names the field of the spec, or that of the change. */
function isAt(path: string, field: LimitField): boolean {
  const below = path.replace(/^spec\.(resolved\.spec\.)?/, '');
  return below === PATHS[field];
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-sandbox-limits': AgentTierSandboxLimits;
  }
}
