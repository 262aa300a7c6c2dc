// SPDX-License-Identifier: Apache-2.0
import { errors, jwtVerify } from 'jose';
import type { JWTVerifyOptions } from 'jose';
import { refusals } from '../../api/errors.ts';
import type { HttpError } from '../../api/errors.ts';
import type { GroupNamespaces } from '../namespaces.ts';
import type { Principal } from '../principal.ts';
import { LEEWAY_SECONDS, principalFrom } from './claims.ts';
import { IssuerUnavailable } from './issuer.ts';
import type { Issuer } from './issuer.ts';
import type { OidcSettings } from './settings.ts';

export interface TokensOptions {
  readonly settings: OidcSettings;
  readonly keys: Pick<Issuer, 'keyOf'>;
  readonly groupNamespaces: GroupNamespaces;
  readonly now?: () => number;
}

/** Larger than any token that fits into a header; nothing of it is decoded. */
const MAX_TOKEN = 16 * 1024;

/**
 * Checks tokens of the configured issuer. The algorithms are pinned: a token must not choose the rule by which it is
 * judged, or the public key, taken for a shared secret, would sign anything (RFC 8725, 2.1).
 */
export class Tokens {
  readonly #options: TokensOptions;
  readonly #rules: JWTVerifyOptions;

  constructor(options: TokensOptions) {
    this.#options = options;
    const { issuer, clientId } = options.settings;
    this.#rules = {
      algorithms: ['RS256', 'ES256'],
      issuer,
      audience: clientId,
      clockTolerance: LEEWAY_SECONDS,
      requiredClaims: ['exp', 'sub'],
    };
  }

  /** Whom the token is about. Throws the 401, or the 503 while the issuer cannot be asked. */
  async verify(token: string): Promise<Principal> {
    if (token.length > MAX_TOKEN) throw refusals.invalidToken('the token is too long');
    const { settings, keys, groupNamespaces, now = Date.now } = this.#options;
    const at = now();
    const rules = { ...this.#rules, currentDate: new Date(at) };
    const { payload } = await jwtVerify(token, keys.keyOf, rules).catch((error: unknown) => {
      throw refusalOf(error);
    });
    const result = principalFrom(payload, settings, groupNamespaces, at);
    if (!result.ok) throw refusals.invalidToken(result.why);
    return result.principal;
  }
}

/** By jose's error codes. None of the texts repeats what the token says. */
const WORDS: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'the token has expired: sign in again',
  ERR_JOSE_ALG_NOT_ALLOWED: 'the token is not signed with RS256 or ES256',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "the token's signature is not right",
  ERR_JWKS_NO_MATCHING_KEY: 'the token is signed with a key that its issuer does not know',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'the token does not say which of the keys of its issuer it is signed with',
};

const CLAIM_WORDS: Readonly<Record<string, string>> = {
  iss: 'the token is from another issuer',
  aud: 'the token is for another audience',
  nbf: 'the token is not valid yet',
  exp: 'the token says no time at which it expires',
  sub: 'the token has no subject',
};

function refusalOf(error: unknown): HttpError {
  if (error instanceof IssuerUnavailable) return refusals.unavailable(error.message);
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refusals.invalidToken(CLAIM_WORDS[error.claim] ?? 'a claim of the token is not right');
  }
  const code = error instanceof errors.JOSEError ? error.code : '';
  return refusals.invalidToken(WORDS[code] ?? 'this is not a signed token');
}
