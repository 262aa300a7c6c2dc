// SPDX-License-Identifier: Apache-2.0
import type { Config } from '../../config.ts';
import type { Handlers } from '../contract.ts';

/** What a program has to know before anybody has signed in; nothing here is secret. */
export function signInOperations({
  devAuth,
  oidc,
}: Pick<Config, 'devAuth' | 'oidc'>): Pick<Handlers, 'signInConfig'> {
  const body = devAuth
    ? { mode: 'dev' }
    : oidc === undefined
      ? { mode: 'keys' }
      : { mode: 'oidc', issuer: oidc.issuer, clientId: oidc.clientId, scopes: oidc.scopes };
  return { signInConfig: () => ({ status: 200, body }) };
}
