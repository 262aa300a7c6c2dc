// SPDX-License-Identifier: Apache-2.0
import { DASHBOARD_KEY_ITEM as KEY } from '@agenttier/crds/wire/dashboard';
import type { Credential } from './server.ts';
import { CookieSession } from './cookieSession.ts';
import { redeem, refresh, signOutAddress } from './signIn.ts';
import type { SignInCode, Tokens } from './signIn.ts';
import type { AuthConfig } from './user.ts';

/** Before a token ends it is renewed, so that no request goes out with one that ends under way. */
const AHEAD_MS = 60_000;

/**
 * Who has signed in on this page. Tokens stay in memory and end with it, or are kept by the server in cookies that no script
 * reads; an API key is kept for the tab, in sessionStorage, so that a reload does not ask for it again.
 */
export class Session {
  #tokens: { readonly tokens: Tokens; readonly config: AuthConfig } | undefined;
  #cookies: { readonly session: CookieSession; readonly config: AuthConfig } | undefined;
  #key: string | undefined = sessionStorage.getItem(KEY) ?? undefined;
  #renewing: Promise<void> | undefined;

  useKey(key: string): void {
    this.#key = key;
    this.#tokens = undefined;
    sessionStorage.setItem(KEY, key);
  }

  /** Tells how people sign in here, as soon as that is known. */
  prepare(config: AuthConfig, apiBase: string): void {
    if (config.session === 'cookie') this.#cookies ??= { session: new CookieSession(apiBase), config };
  }

  /** Signs in with what the issuer has answered. */
  async begin(code: SignInCode, config: AuthConfig): Promise<void> {
    if (this.#cookies !== undefined) await this.#cookies.session.begin(code);
    else this.useTokens(await redeem(config, code), config);
  }

  useTokens(tokens: Tokens, config: AuthConfig): void {
    this.#tokens = { tokens, config };
  }

  /**
   * Forgets everything; gives the place where the sign-in at the issuer ends too, which then leads to `returnTo`. Rejects when
   * the server that keeps the sign-in could not be told.
   */
  async end(returnTo: string): Promise<URL | undefined> {
    const { tokens, config } = this.#tokens ?? {};
    const kept = this.#cookies;
    const hadKey = this.#key !== undefined;
    this.#key = undefined;
    this.#tokens = undefined;
    sessionStorage.removeItem(KEY);
    // Behind a key there may be a session: the next load of the page would find it.
    if (hadKey) await kept?.session.end().catch(() => undefined);
    else if (kept !== undefined) {
      await kept.session.end();
      return signOutAddress(kept.config, returnTo).catch(() => undefined);
    }
    if (tokens === undefined || config === undefined) return undefined;
    // Whoever wants to leave has left, also while the issuer is away.
    return signOutAddress(config, returnTo, tokens.idToken).catch(() => undefined);
  }

  /** For each request anew; undefined when nobody has signed in or the sign-in could not be renewed. */
  readonly credential = async (): Promise<Credential | undefined> => {
    if (this.#key !== undefined) return { kind: 'apiKey', key: this.#key };
    if (this.#cookies !== undefined)
      return (await this.#cookies.session.isOn()) ? { kind: 'cookie' } : undefined;
    if (this.#tokens !== undefined && this.#tokens.tokens.expiresAt - Date.now() < AHEAD_MS) {
      // Many requests at once renew once: a refresh token may count a single time only.
      await (this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined)));
    }
    return this.#tokens && { kind: 'bearer', token: this.#tokens.tokens.idToken };
  };

  async #renew(): Promise<void> {
    const { tokens, config } = this.#tokens ?? {};
    if (tokens?.refreshToken === undefined || config === undefined) return;
    try {
      const renewed = await refresh(config, tokens.refreshToken);
      this.#tokens = { tokens: { refreshToken: tokens.refreshToken, ...renewed }, config };
    } catch {
      // The old token is used until the server refuses it: the issuer may only be away for a moment.
    }
  }
}
