// SPDX-License-Identifier: Apache-2.0
import { html, nothing } from 'lit';
import type { ReactiveController, ReactiveControllerHost, TemplateResult } from 'lit';
import { parseObject } from '../../controllers/yamlText.ts';
import { problemOf } from '../../data/problem.ts';
import type { Server } from '../../data/server.ts';
import { inheritanceOf } from '../../data/templates.ts';
import type { Inheritance, TemplateKey } from '../../data/templates.ts';
import type { Say } from '../../parts/states.ts';
import { valueText } from '../../parts/valueText.ts';

/** Typing pauses before it is worked out anew. */
const AFTER_MS = 300;

/** What is edited: whose text it is, and the text; undefined = nothing. */
export interface Edited {
  readonly key: TemplateKey;
  readonly text: string;
}

export interface InheritedOptions {
  readonly server: () => Server | undefined;
  readonly edited: () => Edited | undefined;
}

/** What the template that is edited says with all that it inherits, kept up while one types. */
export class InheritedController implements ReactiveController {
  value: Inheritance | undefined;
  readonly #host: ReactiveControllerHost;
  readonly #options: InheritedOptions;
  #asked = '';
  #whose = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #loading: AbortController | undefined;

  constructor(host: ReactiveControllerHost, options: InheritedOptions) {
    this.#host = host;
    this.#options = options;
    host.addController(this);
  }

  hostUpdated(): void {
    const edited = this.#options.edited();
    const whose = JSON.stringify(edited?.key ?? null);
    const asked = whose + (edited?.text ?? '');
    if (asked === this.#asked) return;
    this.#asked = asked;
    clearTimeout(this.#timer);
    this.#loading?.abort();
    const other = whose !== this.#whose;
    this.#whose = whose;
    if (edited === undefined) return;
    this.#timer = setTimeout(() => void this.#load(edited), other ? 0 : AFTER_MS);
  }

  hostDisconnected(): void {
    clearTimeout(this.#timer);
    this.#loading?.abort();
    this.#asked = '';
  }

  async #load({ key, text }: Edited): Promise<void> {
    const server = this.#options.server();
    const parsed = parseObject(text);
    if (server === undefined || !parsed.ok) return;
    const { signal } = (this.#loading = new AbortController());
    const value = await inheritanceOf(server, key, parsed.value, signal).catch(
      (error: unknown): Inheritance => ({ chain: [], fields: [], problem: problemOf(error).message }),
    );
    if (signal.aborted) return;
    this.value = value;
    this.#host.requestUpdate();
  }
}

/** Each value with the template that it comes from. */
export function inheritedView(say: Say, value: Inheritance | undefined): TemplateResult | typeof nothing {
  if (value === undefined) return nothing;
  const { chain, fields, problem } = value;
  const own = chain.at(-1);
  return html`<section class="inherited">
    <h3>${say('template.resolved')}</h3>
    ${problem === undefined ? nothing : html`<p class="note warn" role="status">${problem}</p>`}
    ${
      chain.length > 1
        ? html`<p class="muted">${say('template.chain')} ${chain.slice(0, -1).map((name) => html`<span class="link">${nameOf(name)}</span> → `)}${say('template.itself')}</p>`
        : nothing
    }
    ${
      fields.length === 0
        ? html`<p class="muted">${problem === undefined ? say('template.silent') : ''}</p>`
        : html`<div class="table" tabindex="0" role="region" aria-label=${say('template.resolved')}>
            <table>
              <thead>
                <tr>
                  <th>${say('template.field')}</th>
                  <th>${say('template.value')}</th>
                  <th>${say('template.origin')}</th>
                </tr>
              </thead>
              <tbody>
                ${fields.map(
                  ({ field, value: set, origin }) => html`<tr class=${origin === own ? 'own' : ''}>
                    <td>${field}</td>
                    <td class="wide">${valueText(set)}</td>
                    <td>${origin === own ? say('template.itself') : nameOf(origin)}</td>
                  </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }
  </section>`;
}

/** `SandboxTemplate/team/shell` as `team/shell`. */
const nameOf = (origin: string): string => origin.slice(origin.indexOf('/') + 1);
