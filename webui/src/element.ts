// SPDX-License-Identifier: Apache-2.0
import { ContextConsumer } from '@lit/context';
import { LitElement } from 'lit';
import { property } from 'lit/decorators.js';
import { problemOf } from './data/problem.ts';
import type { Problem } from './data/problem.ts';
import { connect, serverContext } from './data/server.ts';
import type { Server } from './data/server.ts';
// Before any element: one that is on the page already asks for its provider at the moment that it is defined, and only once.
import './elements/provider/provider.ts';
import type { EventDetails } from './details.ts';
import './generated/events.ts';
import type { TextKey } from './text/text.ts';
import { textOf } from './text/text.ts';

/** What is said with an event: nothing where its name says it all. */
type Told<Name extends keyof EventDetails> = EventDetails[Name] extends null
  ? []
  : [detail: EventDetails[Name], options?: { readonly cancelable?: boolean }];

/**
 * What all elements share. An element finds its server in this order: its own `server`, its own `api-base` (with
 * `getToken`), the nearest `<agenttier-provider>`.
 *
 * @fires agenttier-error - `detail` is a Problem: something that the person asked for was refused or failed
 */
export abstract class AgentTierElement extends LitElement {
  /** Where the API begins, for an element outside of a provider. */
  @property({ attribute: 'api-base' }) apiBase = '';
  /** The namespace that is shown; empty = all that the person may see. */
  @property() namespace = '';
  @property({ reflect: true }) theme: 'auto' | 'light' | 'dark' = 'auto';
  /** A token for `api-base`, asked for anew with each request. */
  @property({ attribute: false }) getToken: (() => Promise<string | undefined>) | undefined;
  @property({ attribute: false }) server: Server | undefined;

  readonly #provided = new ContextConsumer(this, { context: serverContext, subscribe: true });
  #own: { readonly base: string; readonly signed: boolean; readonly server: Server } | undefined;

  /** The server that this element speaks to; undefined until there is one. */
  protected get source(): Server | undefined {
    if (this.server !== undefined) return this.server;
    if (this.apiBase === '') return this.#provided.value;
    // A page's script often runs after the elements are there, which have asked as nobody by then: they ask anew.
    const signed = this.getToken !== undefined;
    if (this.#own?.base !== this.apiBase || (signed && !this.#own.signed)) {
      const credential = async () => {
        const token = await this.getToken?.();
        return token === undefined ? undefined : ({ kind: 'bearer', token } as const);
      };
      const server = connect({ apiBase: this.apiBase, credential });
      this.#own = { base: this.apiBase, signed, server };
    }
    return this.#own.server;
  }

  /** The sentence for a key in the language of the element, or of the page. */
  protected say(key: TextKey, params?: Readonly<Record<string, string | number>>): string {
    return textOf(this.lang || document.documentElement.lang || 'en', key, params);
  }

  /** Tells the page; true unless a listener has called `preventDefault()`. */
  protected tell<Name extends keyof EventDetails>(name: Name, ...given: Told<Name>): boolean {
    const [detail, options = {}] = given;
    return this.dispatchEvent(
      new CustomEvent(name, {
        detail,
        bubbles: true,
        composed: true,
        cancelable: options.cancelable ?? false,
      }),
    );
  }

  /** Does what the person asked for; what goes wrong is told to the page and returned. */
  protected async attempt(action: (server: Server) => Promise<void>): Promise<Problem | undefined> {
    const server = this.source;
    if (server === undefined) return undefined;
    try {
      await action(server);
      return undefined;
    } catch (error) {
      const problem = problemOf(error);
      this.tell('agenttier-error', problem);
      return problem;
    }
  }
}
