// SPDX-License-Identifier: Apache-2.0
import { rootCertificates } from 'node:tls';
import { systemClock } from '@agenttier/machinery/runtime/clock';
import type { Clock } from '@agenttier/machinery/runtime/clock';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { createLocalJWKSet, createRemoteJWKSet, customFetch } from 'jose';
import type { CryptoKey, FlattenedJWSInput, JWSHeaderParameters } from 'jose';
import { Agent, fetch } from 'undici';
import { unfitUrl } from './settings.ts';
import type { OidcSettings } from './settings.ts';

export interface IssuerOptions {
  readonly settings: Pick<OidcSettings, 'issuer' | 'allowHttp' | 'ca'>;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Between two fetches of the keys: whoever sends tokens with made-up key ids must not make us flood the issuer. */
  readonly cooldownMs?: number;
}

/** The issuer cannot be asked: nothing can be said about a token. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable';
}

const TIMEOUT_MS = 5_000;
const COOLDOWN_MS = 5_000;
const KEYS_FRESH_MS = 10 * 60_000;
/** While the issuer is away its last keys go on to count for so long: a restart of it must not sign everybody out. */
const KEYS_STALE_MS = 60 * 60_000;
const REDISCOVER_MS = 60 * 60_000;
const RETRY_MS = { first: 500, most: 30_000 };

/** Where forms are sent: RFC 6749 3.2, and RFC 7009 which not every issuer has. */
type Place = 'token' | 'revocation';

type RemoteKeys = ReturnType<typeof createRemoteJWKSet>;

/** The issuer's keys: found by discovery, in the background and for as long as it takes, and fetched anew when they change. */
export class Issuer {
  readonly #options: IssuerOptions;
  readonly #clock: Clock;
  readonly #cooldownMs: number;
  readonly #dispatcher: Agent;
  #keys: { readonly url: string; readonly remote: RemoteKeys } | undefined;
  /** Found by discovery; an issuer that cannot be reached any more keeps them. */
  #places: Partial<Readonly<Record<Place, string>>> = {};
  #fetchedAt = 0;
  #failed: { readonly at: number; readonly error: Error } | undefined;

  constructor(options: IssuerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#cooldownMs = options.cooldownMs ?? COOLDOWN_MS;
    const { ca } = options.settings;
    this.#dispatcher = new Agent(ca === undefined ? {} : { connect: { ca: [...rootCertificates, ca] } });
  }

  /** Discovers until the signal aborts; afterwards again now and then, since addresses of keys change. */
  async run(signal: AbortSignal): Promise<void> {
    let wait: number = RETRY_MS.first;
    while (!signal.aborted) {
      const found = await this.#discover(signal);
      const pause = found ? REDISCOVER_MS : wait;
      wait = found ? RETRY_MS.first : Math.min(RETRY_MS.most, wait * 2);
      await this.#clock.sleep(pause, signal).catch(() => {});
    }
    await this.#dispatcher.close();
  }

  /** The key that a token claims to be signed with. Throws IssuerUnavailable, or jose's errors for a key that is not there. */
  readonly keyOf = async (header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> => {
    const { remote } = this.#keys ?? {};
    if (remote === undefined) throw new IssuerUnavailable('the token issuer has not been reached yet');
    try {
      return await remote(header, token);
    } catch (error) {
      if (this.#failed === undefined || error !== this.#failed.error) throw error;
      const old = this.#clock.now() - this.#fetchedAt > KEYS_STALE_MS ? undefined : remote.jwks();
      const away = new IssuerUnavailable("the token issuer's keys cannot be read at the moment");
      if (old === undefined) throw away;
      return createLocalJWKSet(old)(header, token).catch(() => Promise.reject(away));
    }
  };

  /**
   * Sends a form; undefined when the issuer has no such place. Throws IssuerUnavailable. What is in the form and in the
   * answer is secret, so neither is in the error.
   */
  async post(
    place: Place,
    form: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> } | undefined> {
    if (this.#keys === undefined) throw new IssuerUnavailable('the token issuer has not been reached yet');
    const url = this.#places[place];
    if (url === undefined) return undefined;
    try {
      const answer = await fetch(url, {
        method: 'POST',
        dispatcher: this.#dispatcher,
        redirect: 'error',
        headers: { accept: 'application/json' },
        body: new URLSearchParams(form),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const body: unknown = await answer.json().catch(() => ({}));
      const isObject = typeof body === 'object' && body !== null;
      return { status: answer.status, body: isObject ? (body as Record<string, unknown>) : {} };
    } catch {
      throw new IssuerUnavailable('the token issuer does not answer at the moment');
    }
  }

  async #discover(signal: AbortSignal): Promise<boolean> {
    const { issuer, allowHttp } = this.#options.settings;
    try {
      const answer = await this.#get(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, signal);
      const metadata = (await answer.json()) as Readonly<Record<string, unknown>>;
      const { issuer: named, jwks_uri: url } = metadata;
      // OpenID Connect Discovery, section 4.3: else one issuer could speak for another.
      if (named !== issuer) throw new Error(`it calls itself "${String(named)}", not "${issuer}"`);
      const unfit = unfitPlace(url, allowHttp);
      if (unfit !== undefined) throw new Error(`its jwks_uri ${unfit}`);
      const place = (name: string) =>
        unfitPlace(metadata[name], allowHttp) === undefined ? String(metadata[name]) : undefined;
      const [token, revocation] = [place('token_endpoint'), place('revocation_endpoint')];
      this.#places = { ...(token && { token }), ...(revocation && { revocation }) };
      this.#use(String(url));
      return true;
    } catch (error) {
      if (!signal.aborted) this.#options.log.warn({ err: error, issuer }, 'token issuer cannot be used');
      return false;
    }
  }

  #use(url: string): void {
    if (this.#keys?.url === url) return;
    const remote = createRemoteJWKSet(new URL(url), {
      timeoutDuration: TIMEOUT_MS,
      cooldownDuration: this.#cooldownMs,
      cacheMaxAge: KEYS_FRESH_MS,
      [customFetch]: (address, { signal }) => this.#fetchKeys(address, signal),
    });
    this.#keys = { url, remote };
    this.#options.log.info({ issuer: this.#options.settings.issuer, keys: url }, 'token issuer found');
  }

  /** jose's cooldown begins with a success; after a failure nobody is to wait for the next one either. */
  async #fetchKeys(address: string, signal: AbortSignal): Promise<Response> {
    const now = this.#clock.now();
    if (this.#failed !== undefined && now - this.#failed.at < this.#cooldownMs) throw this.#failed.error;
    try {
      const answer = await this.#get(address, signal);
      const keys = await answer.json();
      this.#fetchedAt = now;
      this.#failed = undefined;
      return Response.json(keys);
    } catch (error) {
      this.#failed = { at: now, error: new Error('keys cannot be fetched', { cause: error }) };
      this.#options.log.warn({ err: error, keys: address }, "token issuer's keys cannot be fetched");
      throw this.#failed.error;
    }
  }

  async #get(address: string, signal: AbortSignal) {
    const until = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const answer = await fetch(address, {
      dispatcher: this.#dispatcher,
      redirect: 'error',
      headers: { accept: 'application/json' },
      signal: until,
    });
    if (answer.status === 200) return answer;
    await answer.body?.cancel();
    throw new Error(`${address} answered ${answer.status}`);
  }
}

/** Why nothing is fetched from or sent to there; a query is part of some. */
const unfitPlace = (url: unknown, allowHttp: boolean): string | undefined =>
  typeof url === 'string' ? unfitUrl(url.split('?')[0] ?? '', allowHttp) : 'is missing';
