// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import type { TemplateResult } from 'lit';
import type { Violators } from '../../data/policies.ts';
import type { Say } from '../../parts/states.ts';

/** Whom a text would refuse that is not stored yet, and why. */
export function violatorsView(say: Say, { count, named }: Violators): TemplateResult | typeof nothing {
  if (count === 0) return nothing;
  const label = say('governance.violators', { count });
  return html`<section class="panel violators" role="status">
    <h3>${label}</h3>
    <p class="muted">${say('governance.violatorsHint')}</p>
    <ul tabindex="0" aria-label=${label}>
      ${named.map(
        ({ namespace, name, violations }) => html`<li>
          <b>${namespace}/${name}</b>: ${violations.map(({ message }) => message).join('; ')}
        </li>`,
      )}
      ${count > named.length ? html`<li class="muted">${say('governance.andMore', { count: count - named.length })}</li>` : nothing}
    </ul>
  </section>`;
}
