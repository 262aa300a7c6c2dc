// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { ResourceController } from '../../controllers/resource.ts';
import { getSandbox, resumeSandbox, whySandbox } from '../../data/sandboxes.ts';
import type { Sandbox } from '../../data/sandboxes.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';
import type { TextKey } from '../../text/text.ts';
import '../file-browser/file-browser.ts';
import type { AgentTierFileBrowser } from '../file-browser/file-browser.ts';
import '../file-editor/file-editor.ts';
import type { AgentTierFileEditor } from '../file-editor/file-editor.ts';
import '../sandbox-card/sandbox-card.ts';
import { PANELS, SECTIONS } from './panels.ts';
import type { Section } from './panels.ts';

export type { Section } from './panels.ts';

interface State {
  readonly sandbox: Sandbox;
  readonly why: string;
}

/**
 * All about one sandbox, by sections.
 *
 * @fires agenttier-section - `detail.section` was chosen
 * @fires agenttier-sandbox-open - from the card
 */
@customElement('agenttier-sandbox-settings')
export class AgentTierSandboxSettings extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    tableStyles,
    css`
      :host {
        display: grid;
        gap: 1.25rem;
      }
      [role='tablist'] {
        display: flex;
        gap: 0.25rem;
        overflow-x: auto;
        border-block-end: 1px solid var(--line);
      }
      [role='tab'] {
        border-width: 0 0 2px;
        border-color: transparent;
        border-radius: 0;
        background: none;
        color: var(--muted);
      }
      [role='tab'][aria-selected='true'] {
        border-color: var(--accent);
        color: var(--text);
      }
      .overview {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr));
        gap: 1rem;
      }
      .overview section {
        align-content: start;
      }
    `,
  ];

  @property({ attribute: 'sandbox-id' }) sandboxId = '';
  @property({ reflect: true }) section: Section = 'overview';
  @state() private openFile: string | undefined;
  @query('agenttier-file-browser') private fileBrowser!: AgentTierFileBrowser | null;
  @query('agenttier-file-editor') private fileEditor!: AgentTierFileEditor | null;

  readonly #state = new ResourceController<State>(this, {
    server: () => this.source,
    load: async (server, signal) => {
      const key = { sandboxId: this.sandboxId, namespace: this.namespace };
      const [sandbox, why] = await Promise.all([
        getSandbox(server, key, signal),
        whySandbox(server, key, signal),
      ]);
      return { sandbox, why };
    },
    follows: ['sandbox'],
  });

  protected override render() {
    const { value, error } = this.#state;
    if (value === undefined) {
      return html`<p class=${error ? 'note bad' : 'muted'} role="status">
        ${error?.message ?? this.say('state.loading')}
      </p>`;
    }
    return html`
      <h1>${value.sandbox.name}</h1>
      ${this.#tabs()}
      <div role="tabpanel" aria-labelledby=${`tab-${this.section}`}>${this.#panel(value)}</div>
    `;
  }

  /** Arrow keys go from tab to tab, as the ARIA pattern for tabs has it. */
  #tabs() {
    return html`<div
      role="tablist"
      aria-label=${this.say('settings.sections')}
      @keydown=${(event: KeyboardEvent) => this.#step(event)}
    >
      ${SECTIONS.map(
        (section) => html`<button
          role="tab"
          id=${`tab-${section}`}
          aria-selected=${section === this.section}
          tabindex=${section === this.section ? 0 : -1}
          @click=${() => this.#choose(section)}
        >
          ${this.say(`settings.${section}` satisfies TextKey)}
        </button>`,
      )}
    </div>`;
  }

  #step({ key }: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (step === undefined) return;
    const next = SECTIONS.at((SECTIONS.indexOf(this.section) + step) % SECTIONS.length) ?? this.section;
    this.#choose(next);
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`#tab-${next}`)?.focus());
  }

  #choose(section: Section): void {
    if ([this.fileEditor, this.fileBrowser].some((one) => one?.mayLeave() === false)) return;
    this.openFile = undefined;
    this.section = section;
    this.tell('agenttier-section', { section });
  }

  #panel({ sandbox, why }: State) {
    const { sandboxId, namespace, theme, lang, source } = this;
    if (this.section === 'files') return this.#files(sandbox);
    if (this.section !== 'overview') {
      return PANELS[this.section]({ sandbox, sandboxId, namespace, theme, lang, source });
    }
    return html`<div class="overview">
      <agenttier-sandbox-card alone .server=${source} .sandbox=${sandbox} theme=${theme} lang=${lang}></agenttier-sandbox-card>
      <section>
        <h2>${this.say('settings.why')}</h2>
        ${why ? html`<p>${why}</p>` : nothing}
      </section>
    </div>`;
  }

  #asleep(status: Sandbox['status']) {
    return html`<div class="note" role="status">
      <span>${this.say('files.stopped')}</span>
      ${
        status === 'Stopped'
          ? html`<button @click=${() => void this.#resume()}>${this.say('action.resume')}</button>`
          : nothing
      }
    </div>`;
  }

  async #resume(): Promise<void> {
    await this.attempt((server) =>
      resumeSandbox(server, { sandboxId: this.sandboxId, namespace: this.namespace }),
    );
    await this.#state.reload();
  }

  /** A look at its files would wake a sandbox that sleeps, so it waits until somebody has. */
  #files({ status }: Sandbox) {
    if (status !== 'Running') return this.#asleep(status);
    const { sandboxId, namespace, theme, lang, source } = this;
    const { openFile } = this;
    // The browser stays while a file is open: its folder, and what is under way.
    return html`<agenttier-file-browser
        ?hidden=${openFile !== undefined}
        .server=${source}
        sandbox-id=${sandboxId}
        namespace=${namespace}
        theme=${theme}
        lang=${lang}
        @agenttier-file-open=${(event: CustomEvent<{ path: string }>) => {
          event.preventDefault();
          this.openFile = event.detail.path;
        }}
      ></agenttier-file-browser>
      ${
        openFile === undefined
          ? nothing
          : html`<agenttier-file-editor
            .server=${source}
            sandbox-id=${sandboxId}
            namespace=${namespace}
            path=${openFile}
            theme=${theme}
            lang=${lang}
            @agenttier-file-close=${() => void ((this.openFile = undefined))}
            @agenttier-file-saved=${() => void this.fileBrowser?.refresh()}
          ></agenttier-file-editor>`
      }`;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-sandbox-settings': AgentTierSandboxSettings;
  }
}
