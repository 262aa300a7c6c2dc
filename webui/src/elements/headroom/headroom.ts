// SPDX-License-Identifier: Apache-2.0
import { css, html, nothing } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { fieldsOf } from '../../controllers/fields.ts';
import { ResourceController } from '../../controllers/resource.ts';
import { getHeadroom, setHeadroom } from '../../data/headroom.ts';
import type { Headroom } from '../../data/headroom.ts';
import type { Problem } from '../../data/problem.ts';
import { AgentTierElement } from '../../element.ts';
import { bars, figureStyles } from '../../parts/figures.ts';
import { refusal, shown } from '../../parts/states.ts';
import type { Say } from '../../parts/states.ts';
import { baseStyles } from '../../styles/base.ts';
import { controlStyles } from '../../styles/controls.ts';
import { tableStyles } from '../../styles/tables.ts';
import { shareOf } from '../../text/numbers.ts';

/**
 * The placeholders that keep room on the nodes for sandboxes to come: how many stand, their number and size. `readonly` for
 * people who may only look on.
 *
 * @fires agenttier-headroom-changed - `detail` is what is asked for now
 */
@customElement('agenttier-headroom')
export class AgentTierHeadroom extends AgentTierElement {
  static override styles = [
    baseStyles,
    controlStyles,
    tableStyles,
    figureStyles,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.25rem;
        max-width: 48rem;
      }
    `,
  ];

  @property({ type: Boolean }) readonly = false;
  @state() private problem: Problem | undefined;
  @state() private saved = false;

  readonly #headroom = new ResourceController<Headroom>(this, {
    server: () => this.source,
    load: getHeadroom,
    // Placeholders make way for sandboxes and come back after them.
    follows: ['sandbox'],
  });
  readonly #say: Say = (key, params) => this.say(key, params);

  /** Asks the server now. */
  refresh(): Promise<void> {
    return this.#headroom.reload();
  }

  protected override render() {
    return shown(this.#say, this.#headroom, (headroom) =>
      headroom.enabled
        ? html`<p class="muted">${this.say('headroom.hint')}</p>
            ${this.#state(headroom)} ${refusal(this.problem)}
            ${this.saved ? html`<p class="note" role="status">${this.say('template.saved')}</p>` : nothing}
            ${this.readonly ? nothing : this.#form(headroom)}`
        : html`<div class="empty">
            <h2>${this.say('headroom.off')}</h2>
            <p class="muted">${this.say('headroom.offHint')}</p>
          </div>`,
    );
  }

  #state({ readyReplicas, replicas, cpu, memory }: Headroom) {
    const share = shareOf(readyReplicas, replicas);
    return html`<section class="panel">
      ${bars([
        {
          name: this.say('headroom.ready'),
          figure: this.say('capacity.of', { used: readyReplicas, total: replicas }),
          share,
          tone: readyReplicas < replicas ? 'busy' : 'good',
        },
      ])}
      <p class="muted">${this.say('headroom.each', { cpu: cpu || '–', memory: memory || '–' })}</p>
    </section>`;
  }

  /** Fields take a value of the server only when that value changes: what is being typed stays. */
  #form({ replicas, cpu, memory }: Headroom) {
    return html`<form class="row" @submit=${(event: SubmitEvent) => void this.#save(event)}>
      <label>
        ${this.say('headroom.replicas')}
        <input name="replicas" type="number" min="0" max="50" required .value=${String(replicas)} />
      </label>
      <label>${this.say('create.cpu')}<input name="cpu" autocomplete="off" placeholder="500m" .value=${cpu} /></label>
      <label>
        ${this.say('create.memory')}<input name="memory" autocomplete="off" placeholder="1Gi" .value=${memory} />
      </label>
      <button class="primary">${this.say('template.save')}</button>
    </form>`;
  }

  async #save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const field = fieldsOf(event.target as HTMLFormElement);
    this.saved = false;
    this.problem = await this.attempt(async (server) => {
      const wish = { replicas: Number(field('replicas')), cpu: field('cpu'), memory: field('memory') };
      const stored = await setHeadroom(server, wish);
      this.saved = true;
      this.tell('agenttier-headroom-changed', stored);
    });
    await this.#headroom.reload();
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agenttier-headroom': AgentTierHeadroom;
  }
}
