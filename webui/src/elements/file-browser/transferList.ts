// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import type { TextKey } from '../../text/text.ts';
import { sizeText } from '../../text/numbers.ts';
import type { Transfer, TransferQueue } from './transferQueue.ts';

type Say = (key: TextKey, params?: Readonly<Record<string, string | number>>) => string;

/** What goes up, how far it is, and how to end it. */
export function transferList(queue: TransferQueue, say: Say, lang: string) {
  const { transfers } = queue;
  if (transfers.length === 0) return nothing;
  return html`<section class="transfers" aria-label=${say('transfer.title')}>
    <div class="bar">
      <h3>${say('transfer.title')}</h3>
      ${queue.isBusy ? nothing : html`<button class="quiet" @click=${() => queue.clear()}>${say('transfer.clear')}</button>`}
    </div>
    <ul>
      ${transfers.map((one) => row(one, queue, say, lang))}
    </ul>
  </section>`;
}

function row(one: Transfer, queue: TransferQueue, say: Say, lang: string) {
  const { id, name, state } = one;
  const isUnderWay = state === 'running' || state === 'waiting';
  return html`<li class=${state}>
    <span class="what">${name}</span>
    <span class="muted state">${stateText(one, say, lang)}</span>
    ${
      isUnderWay
        ? html`<button class="quiet" aria-label=${say('transfer.cancel', { name })} @click=${() => queue.cancel(id)}>
          ${say('action.cancel')}
        </button>`
        : nothing
    }
    ${state === 'running' ? bar(one) : nothing}
  </li>`;
}

const bar = ({ name, done, whole }: Transfer) =>
  html`<progress aria-label=${name} max=${Math.max(whole, 1)} .value=${done}></progress>`;

function stateText({ state, done, whole, message }: Transfer, say: Say, lang: string): string {
  if (state === 'failed') return say('transfer.failed', { message });
  if (state !== 'running') return say(`transfer.${state}`);
  return say('transfer.running', { done: sizeText(done, lang), whole: sizeText(whole, lang) });
}
