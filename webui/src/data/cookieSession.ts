// SPDX-License-Identifier: Apache-2.0
import { connect } from './server.ts';
import type { Server } from './server.ts';
import { problemOf } from './problem.ts';
import type { SignInCode } from './signIn.ts';

/** One name for all tabs: a refresh token may count once, so they renew one after the other. */
const LOCK = 'agenttier-session';
/** Before a session ends it is renewed, so that no request goes out with one that ends under way. */
const AHEAD_MS = 60_000;
/** Whoever could not renew does not ask again with each request. */
const PAUSE_MS = 5_000;

/** A sign-in that the server keeps in cookies: this page knows when it ends and nothing else of it. */
export class CookieSession {
  readonly #server: Server;
  /** Milliseconds of the epoch; undefined = nobody has signed in, as far as this page knows. */
  #expiresAt: number | undefined;
  #askAgainAt = 0;
  #asking: Promise<void> | undefined;

  constructor(apiBase: string) {
    this.#server = connect({ apiBase, credential: async () => ({ kind: 'cookie' }) });
  }

  async begin(code: SignInCode): Promise<void> {
    this.#keep(await this.#server.api.beginSession({ body: code }));
  }

  /** Is somebody signed in? After a load of the page only the server knows. */
  async isOn(): Promise<boolean> {
    if (this.#isEnding() && Date.now() >= this.#askAgainAt) {
      await (this.#asking ??= this.#ask().finally(() => (this.#asking = undefined)));
    }
    return this.#expiresAt !== undefined;
  }

  /** Rejects when the server could not be told: then the cookies are still there. */
  async end(): Promise<void> {
    await this.#server.api.endSession();
    this.#expiresAt = undefined;
    this.#askAgainAt = Number.POSITIVE_INFINITY;
  }

  #isEnding(): boolean {
    return this.#expiresAt === undefined || this.#expiresAt - Date.now() < AHEAD_MS;
  }

  async #ask(): Promise<void> {
    try {
      this.#keep(await navigator.locks.request(LOCK, () => this.#server.api.renewSession()));
    } catch (error) {
      // Without a server to ask what is known goes on to count.
      if (problemOf(error).status === 401) this.#expiresAt = undefined;
    }
    this.#askAgainAt = Date.now() + PAUSE_MS;
  }

  #keep({ expiresAt }: { readonly expiresAt: string }): void {
    this.#expiresAt = Date.parse(expiresAt);
    this.#askAgainAt = 0;
  }
}
