// SPDX-License-Identifier: Apache-2.0
import type { Config } from '../../config.ts';
import type { OidcSettings } from '../../auth/oidc/settings.ts';
import type { Handlers } from '../contract.ts';

/** What a program has to know before anybody has signed in; nothing here is secret. */
export function signInOperations({
  devAuth,
  oidc,
}: Pick<Config, 'devAuth' | 'oidc'>): Pick<Handlers, 'signInConfig'> {
  const body = devAuth ? { mode: 'dev' } : oidc === undefined ? { mode: 'keys' } : configOf(oidc);
  return { signInConfig: () => ({ status: 200, body }) };
}

const configOf = ({ issuer, clientId, scopes, session }: OidcSettings) => ({
  mode: 'oidc',
  issuer,
  clientId,
  scopes,
  session,
});
