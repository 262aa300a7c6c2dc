// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';
import { ResourceController } from '../../controllers/resource.ts';
import { listSandboxes } from '../../data/sandboxes.ts';
import type { Sandbox } from '../../data/sandboxes.ts';
import type { Server } from '../../data/server.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { commandsOf, matching, moved } from './commands.ts';
import type { Command, SandboxCommand } from './commands.ts';

/**
 * Finds a sandbox, or what else the page offers, by a few letters; for the keyboard alone. It follows the combobox
 * pattern of the ARIA Authoring Practices: the focus stays in the field, the list says which entry is meant.
 *
 * @fires agenttier-command - `detail.id` of one of `commands` was chosen
 * @fires agenttier-sandbox-open - a sandbox was chosen, `detail.target` says what of it
 */
@customElement('agenttier-command-palette')
export class AgentTierCommandPalette extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    css`
      dialog {
        width: min(38rem, calc(100vw - 2rem));
        max-width: none;
        margin-block-start: min(14vh, 7rem);
        padding: 0;
        overflow: hidden;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--raised);
        color: var(--text);
        box-shadow: 0 1rem 3rem rgb(0 0 0 / 30%);
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 45%);
      }
      input {
        padding: 0.875rem 1rem;
        border: 0;
        border-block-end: 1px solid var(--line);
        border-radius: 0;
        background: none;
        font-size: 1.0625rem;
      }
      input:focus-visible {
        outline-offset: -2px;
      }
      ul {
        max-height: min(24rem, 55vh);
        margin: 0;
        padding: 0.375rem;
        overflow-y: auto;
        list-style: none;
      }
      li {
        display: flex;
        justify-content: space-between;
        gap: 1rem;
        padding: 0.45rem 0.625rem;
        border-radius: calc(var(--radius) - 3px);
        cursor: pointer;
      }
      li span {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      li[aria-selected='true'] {
        background: color-mix(in srgb, var(--accent) 18%, transparent);
      }
      li[aria-selected='true'] .muted {
        color: var(--text);
      }
      p {
        padding: 0.875rem 1rem;
      }
    `,
  ];

  /** What the page offers besides sandboxes. */
  @property({ attribute: false }) commands: readonly Command[] = [];
  @query('dialog') private dialog!: HTMLDialogElement;
  @state() private open = false;
  @state() private text = '';
  @state() private at = 0;

  /** Asked only while it is open: most pages never need it. */
  readonly #sandboxes = new ResourceController<readonly Sandbox[]>(this, {
    server: (): Server | undefined => (this.open ? this.source : undefined),
    load: listSandboxes,
    follows: [],
  });

  async show(): Promise<void> {
    if (this.open) return;
    this.open = true;
    this.text = '';
    this.at = 0;
    // A dialog gives the focus to what is in it at the moment that it opens.
    await this.updateComplete;
    this.dialog.showModal();
  }

  close(): void {
    this.dialog.close();
  }

  get #found(): readonly (Command | SandboxCommand)[] {
    const hints = { terminal: this.say('palette.terminal'), settings: this.say('palette.settings') };
    return matching([...this.commands, ...commandsOf(this.#sandboxes.value ?? [], hints)], this.text);
  }

  protected override render() {
    return html`<dialog aria-label=${this.say('palette.label')} @close=${() => (this.open = false)}>
      ${this.open ? this.#field() : nothing}
    </dialog>`;
  }

  protected override updated(): void {
    this.shadowRoot?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }

  #field() {
    const found = this.#found;
    const at = Math.min(this.at, found.length - 1);
    return html`<input
        autofocus
        role="combobox"
        aria-label=${this.say('palette.label')}
        aria-autocomplete="list"
        aria-expanded=${found.length > 0}
        aria-controls="found"
        aria-activedescendant=${at < 0 ? nothing : `found-${at}`}
        autocomplete="off"
        spellcheck="false"
        placeholder=${this.say('palette.hint')}
        .value=${this.text}
        @input=${(event: Event) => this.#type((event.target as HTMLInputElement).value)}
        @keydown=${(event: KeyboardEvent) => this.#press(event, found, at)}
      />
      <ul id="found" role="listbox" aria-label=${this.say('palette.label')}>
        ${found.map(
          (command, i) => html`<li
            id=${`found-${i}`}
            role="option"
            aria-selected=${i === at}
            @click=${() => this.#choose(command)}
          >
            <span>${command.text}</span><span class="muted">${command.hint}</span>
          </li>`,
        )}
      </ul>
      <div role="status">${found.length === 0 ? html`<p class="muted">${this.say('palette.none')}</p>` : nothing}</div>`;
  }

  #type(text: string): void {
    this.text = text;
    this.at = 0;
  }

  #press(event: KeyboardEvent, found: readonly (Command | SandboxCommand)[], at: number): void {
    // A key that ends the writing of a word in an input method is not meant for us.
    if (event.isComposing) return;
    const next = moved(event.key, at, found.length);
    if (next !== undefined) this.at = next;
    else if (event.key !== 'Enter') return;
    event.preventDefault();
    const chosen = found[at];
    if (event.key === 'Enter' && chosen !== undefined) this.#choose(chosen);
  }

  #choose(command: Command | SandboxCommand): void {
    this.close();
    if ('sandbox' in command) {
      const { sandbox, target } = command;
      this.tell('agenttier-sandbox-open', { sandbox, target });
    } else this.tell('agenttier-command', { id: command.id });
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-command-palette': AgentTierCommandPalette;
  }
}
