// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import type { ResourceController } from '../controllers/resource.ts';
import type { Problem } from '../data/problem.ts';
import type { TextKey } from '../text/text.ts';

export type Say = (key: TextKey, params?: Readonly<Record<string, string | number>>) => string;

/** Something of the server in each of its states: on the way, not to be had, as it was known last, there. */
export function shown<T>(say: Say, resource: ResourceController<T>, draw: (value: T) => unknown) {
  const { value, error } = resource;
  if (value === undefined) {
    return error === undefined
      ? html`<p class="muted" role="status">${say('state.loading')}</p>`
      : failed(say, error, () => void resource.reload());
  }
  return html`${
    error
      ? html`<p class="note warn" role="status">${say('state.stale', { message: error.message })}</p>`
      : nothing
  }${draw(value)}`;
}

/** What only administrators may see is not had by trying again. */
function failed(say: Say, error: Problem, again: () => void) {
  if (error.status === 403) {
    return html`<div class="empty">
      <h2>${say('app.adminOnly')}</h2>
      <p class="muted">${error.message}</p>
    </div>`;
  }
  return html`<div class="note bad" role="alert">
    <span>${error.message}</span>
    <button @click=${again}>${say('state.retry')}</button>
  </div>`;
}

/** Why something that was asked for did not happen; each objection of admission with its field. */
export function refusal(problem: Problem | undefined) {
  if (problem === undefined) return nothing;
  const { message, violations } = problem;
  return html`<div class="note bad" role="alert">
    ${
      violations.length === 0
        ? message
        : violations.map((one) => html`<span>${one.field ? `${one.field}: ` : ''}${one.message}</span>`)
    }
  </div>`;
}
