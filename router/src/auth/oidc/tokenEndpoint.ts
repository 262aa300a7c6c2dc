// SPDX-License-Identifier: Apache-2.0
import { refusals } from '../../api/errors.ts';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { IssuerUnavailable } from './issuer.ts';
import type { Issuer } from './issuer.ts';

export interface TokenEndpointOptions {
  readonly clientId: string;
  readonly issuer: Pick<Issuer, 'post'>;
  readonly log: Logger;
}

/** What the issuer has given; the refresh token is absent where it keeps the one before. */
export interface IssuedTokens {
  readonly idToken: string;
  readonly refreshToken?: string;
}

/** An error code of RFC 6749 5.2; anything else that an issuer writes there is not repeated. */
const CODE = /^[a-z_]{1,40}$/;

/** The issuer's token endpoint, used as a public client (RFC 6749, RFC 7636). No token is in a log or an error. */
export class TokenEndpoint {
  readonly #options: TokenEndpointOptions;

  constructor(options: TokenEndpointOptions) {
    this.#options = options;
  }

  redeem(answer: { code: string; verifier: string; redirectUri: string }): Promise<IssuedTokens> {
    const { code, verifier: code_verifier, redirectUri: redirect_uri } = answer;
    return this.#ask({ grant_type: 'authorization_code', code, code_verifier, redirect_uri });
  }

  renew(refreshToken: string): Promise<IssuedTokens> {
    return this.#ask({ grant_type: 'refresh_token', refresh_token: refreshToken });
  }

  /** Best effort (RFC 7009): whoever wants to leave has left, also while the issuer is away or knows no such thing. */
  async revoke(refreshToken: string): Promise<void> {
    const form = { client_id: this.#options.clientId, token: refreshToken, token_type_hint: 'refresh_token' };
    try {
      const answer = await this.#options.issuer.post('revocation', form);
      if (answer !== undefined && answer.status !== 200) throw new Error(`it answered ${answer.status}`);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'a refresh token could not be revoked at its issuer');
    }
  }

  /** Throws the 401 with the issuer's code, or the 503 while it cannot be asked. */
  async #ask(params: Readonly<Record<string, string>>): Promise<IssuedTokens> {
    const { clientId: client_id, issuer } = this.#options;
    const answer = await issuer.post('token', { client_id, ...params }).catch((error: unknown) => {
      if (error instanceof IssuerUnavailable) throw refusals.unavailable(error.message);
      throw error;
    });
    const { status, body } = answer ?? { status: 0, body: {} };
    if (status === 429 || status >= 500) throw refusals.unavailable('the token issuer is busy');
    const { id_token: idToken, refresh_token: refreshToken, error } = body;
    if (status !== 200 || typeof idToken !== 'string') {
      const code = typeof error === 'string' && CODE.test(error) ? ` (${error})` : '';
      throw refusals.invalidToken(`the issuer gave no token${code}: sign in again`);
    }
    return { idToken, ...(typeof refreshToken === 'string' && refreshToken !== '' ? { refreshToken } : {}) };
  }
}
