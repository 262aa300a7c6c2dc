// SPDX-License-Identifier: Apache-2.0
import { RUNTIME_KEY_SECRET } from '@agenttier/crds/meta/names';
import { SESSION_HEADER } from '@agenttier/crds/wire/session';
import { sharedKeyIn } from '@agenttier/machinery/secrets/sharedKey';
import { refusals } from '../../api/errors.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { TokenEndpoint } from '../oidc/tokenEndpoint.ts';
import type { IssuedTokens } from '../oidc/tokenEndpoint.ts';
import { originAllowed } from '../origin.ts';
import type { Principal } from '../principal.ts';
import { openSession, sealedIn, sealSession, sessionCookies } from './cookie.ts';
import type { BrowserSession } from './cookie.ts';

export interface SessionDeskOptions {
  readonly stores: Pick<Stores, 'keys'>;
  readonly tokens: { verify(token: string): Promise<Principal> };
  readonly issuer: Pick<TokenEndpoint, 'redeem' | 'renew' | 'revoke'>;
  readonly now?: () => number;
}

/** What an authorization code is redeemed with (RFC 7636 4.5). */
export interface SignInAnswer {
  readonly code: string;
  readonly verifier: string;
  readonly redirectUri: string;
}

/** A session as the page is told of it; `cookies` are absent where the browser's stay as they are. */
export interface SessionState {
  readonly principal?: Principal;
  readonly expiresAt: number;
  readonly cookies?: readonly string[];
}

/** By lower-case name. */
type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** So near its end a token is renewed: no request is to go out with one that ends under way. */
export const RENEW_AHEAD_MS = 60_000;

/** Keeps sign-ins in cookies of the browser, so that no script ever holds a token. */
export class SessionDesk {
  readonly #options: SessionDeskOptions;
  readonly #now: () => number;

  constructor(options: SessionDeskOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** The token that a request by cookie counts for; undefined when it has no cookie of ours. Throws the 403 for what no page of ours sent. */
  tokenOf(headers: Headers): string | undefined {
    return this.sessionOf(headers)?.idToken;
  }

  /** The session of a request; undefined when it has none. Throws the 403 for what no page of ours sent. */
  sessionOf(headers: Headers): BrowserSession | undefined {
    const sealed = sealedIn(text(headers['cookie']));
    if (sealed === undefined) return undefined;
    refuseOthers(headers);
    return openSession(this.#key(), sealed);
  }

  /** Redeems what the issuer has sent the person back with. */
  async begin(headers: Headers, answer: SignInAnswer): Promise<SessionState> {
    refuseOthers(headers);
    // The issuer checks it too: but a code that was got for a page elsewhere must not even be tried here.
    if (!originAllowed(originOf(answer.redirectUri), text(headers['host']), [])) {
      throw refusals.invalidFields([{ field: 'redirectUri', message: 'is not on the host of this server' }]);
    }
    return this.#keep(await this.#options.issuer.redeem(answer));
  }

  /**
   * Renews the session when it is about to end, else tells when that is: of several tabs that ask one after the other only
   * the first has it renewed, since a refresh token may count once.
   */
  async renew(session: BrowserSession): Promise<SessionState> {
    const { refreshToken, expiresAt, sub } = session;
    const left = expiresAt - this.#now();
    if (left > RENEW_AHEAD_MS || (refreshToken === undefined && left > 0)) return { expiresAt };
    if (refreshToken === undefined) throw refusals.invalidToken('the token has expired: sign in again');
    const issued = await this.#options.issuer.renew(refreshToken);
    return this.#keep({ refreshToken, ...issued }, sub);
  }

  /** Ends it here and, as far as possible, at the issuer. The answer takes the cookies away in any case. */
  async end(headers: Headers): Promise<{ readonly sub?: string; readonly cookies: readonly string[] }> {
    refuseOthers(headers);
    const session = this.sessionOf(headers);
    const token = session?.refreshToken;
    if (token !== undefined) await this.#options.issuer.revoke(token);
    return { ...(session && { sub: session.sub }), cookies: sessionCookies('') };
  }

  /** `sub` is whose it must be (OpenID Connect Core, 12.2). */
  async #keep({ idToken, refreshToken }: IssuedTokens, sub?: string): Promise<SessionState> {
    const principal = await this.#options.tokens.verify(idToken);
    if (sub !== undefined && principal.sub !== sub) {
      throw refusals.invalidToken('the issuer renewed it for somebody else: sign in again');
    }
    // `exp` is required of every token.
    const { expiresAt = 0 } = principal;
    const session = { idToken, ...(refreshToken && { refreshToken }), sub: principal.sub, expiresAt };
    const sealed = sealSession(this.#key(), session);
    if (sealed === undefined) throw refusals.sessionTooLarge();
    return { principal, expiresAt, cookies: sessionCookies(sealed) };
  }

  #key(): Uint8Array {
    const { keys } = this.#options.stores;
    const key = sharedKeyIn(keys.list().find(({ metadata }) => metadata.name === RUNTIME_KEY_SECRET));
    if (key === undefined) throw refusals.unavailable('this installation has no key for sessions yet');
    return key;
  }
}

/**
 * SameSite=Strict lets other pages of one's own domain through, and routes take JSON under any content type, so a form could
 * write. Hence the header; the origins that CORS lists may use keys and tokens here, but nobody's cookie.
 */
function refuseOthers(headers: Headers): void {
  if (headers[SESSION_HEADER.toLowerCase()] === undefined) throw refusals.sessionHeaderMissing();
  const [origin, host] = [text(headers['origin']), text(headers['host'])];
  const site = headers['sec-fetch-site'];
  const isOwn = site === undefined || site === 'same-origin';
  if (!isOwn || !originAllowed(origin, host, [])) throw refusals.sessionOriginRefused(String(origin));
}

const text = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : 'null');
