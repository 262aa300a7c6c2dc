// SPDX-License-Identifier: Apache-2.0
import type { InvokeEvent } from '@agenttier/crds/wire/agent';
import { css, html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { invokeAgent } from '../../data/agent.ts';
import { problemOf } from '../../data/problem.ts';
import { AgentTierElement } from '../../element.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';

interface Line {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** Lines that are kept on the page. */
const MOST_LINES = 5_000;

/**
 * Runs the agent of a sandbox and shows what it prints as it prints it.
 *
 * @fires agenttier-invoke-start - `detail.invokeId`
 * @fires agenttier-invoke-exit - `detail` has exitCode, durationMs and reason
 * @csspart log - what the agent prints
 */
@customElement('agenttier-agent-panel')
export class AgentTierAgentPanel extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    tableStyles,
    css`
      pre {
        max-height: 24rem;
        margin: 0;
        padding: 0.75rem;
        overflow: auto;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--surface);
        font-family: var(--mono);
        font-size: 0.8125rem;
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      .stderr {
        color: var(--warn);
      }
    `,
  ];

  @property({ attribute: 'sandbox-id' }) sandboxId = '';
  @state() private lines: readonly Line[] = [];
  @state() private ending = '';
  @state() private failed = false;
  @state() private running: AbortController | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.cancel();
  }

  /** Ends what runs; the agent is ended with it. */
  cancel(): void {
    this.running?.abort();
  }

  async invoke(prompt: string): Promise<void> {
    const server = this.source;
    if (server === undefined || this.running !== undefined) return;
    const running = (this.running = new AbortController());
    this.lines = [];
    this.ending = '';
    this.failed = false;
    try {
      const key = { sandboxId: this.sandboxId, namespace: this.namespace };
      for await (const event of invokeAgent(server, key, prompt, running.signal)) this.#take(event);
    } catch (error) {
      this.failed = !running.signal.aborted;
      this.ending = running.signal.aborted ? this.say('agent.canceled') : problemOf(error).message;
    } finally {
      this.running = undefined;
    }
  }

  #take({ event, data }: InvokeEvent): void {
    if (event === 'start') this.tell('agenttier-invoke-start', data);
    if (event === 'log') {
      this.lines = [...this.lines.slice(1 - MOST_LINES), { stream: data.stream, text: data.data }];
    }
    if (event !== 'exit') return;
    this.failed = data.exitCode !== 0;
    this.ending = this.say(`agent.${data.reason}`, {
      code: data.exitCode,
      seconds: (data.durationMs / 1000).toFixed(1),
    });
    this.tell('agenttier-invoke-exit', data);
  }

  protected override render() {
    return html`<section>
      <form class="row" @submit=${(event: SubmitEvent) => this.#submit(event)}>
        <label>${this.say('agent.prompt')}<input name="prompt" required autocomplete="off" /></label>
        ${
          this.running
            ? html`<button type="button" class="danger" @click=${() => this.cancel()}>${this.say('action.cancel')}</button>`
            : html`<button class="primary">${this.say('agent.invoke')}</button>`
        }
      </form>
      ${
        this.lines.length > 0
          ? html`<pre part="log" tabindex="0" role="log" aria-label=${this.say('agent.output')}>${this.lines.map(
              ({ stream, text }) => html`<span class=${stream}>${text}${'\n'}</span>`,
            )}</pre>`
          : nothing
      }
      ${this.ending ? html`<p class="note ${this.failed ? 'bad' : ''}" role="status">${this.ending}</p>` : nothing}
    </section>`;
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    const prompt = new FormData(event.target as HTMLFormElement).get('prompt') as string;
    void this.invoke(prompt);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-agent-panel': AgentTierAgentPanel;
  }
}
