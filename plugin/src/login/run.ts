// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { credentialOf } from '../client/credential.ts';
import { callRouter, parseRouterUrl, type RouterAccess, routerUrl } from '../client/router.ts';
import { loginFile, readLogin, type SavedLogin, writeLogin } from '../client/savedLogin.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import type { SignIn } from './issuer.ts';

export interface LoginOptions extends GlobalFlags {
  readonly withKey?: boolean;
  readonly browser?: boolean;
}

/** Nothing is remembered before the router has let the person in. */
export async function runLogin(host: Host, options: LoginOptions): Promise<void> {
  const address = options.apiUrl ?? host.environment.apiUrl ?? (await readLogin(host)).api_url;
  if (address === undefined) throw new CommandError('say where the router is: --api-url https://...', 2);
  const url = parseRouterUrl(address);
  const login = { api_url: url.href, ...(await secretsFor(host, options, url)) };
  const credential = credentialOf({ apiKey: login.api_key, token: login.token });
  const router: RouterAccess = { url, ...(credential ? { credential } : {}) };
  const me = await callRouter<{ sub: string; email?: string }>(router, routerUrl(router, '/api/v1/user/me'), {
    signal: host.signal,
  });
  const file = await writeLogin(host, login);
  await write(host.streams.out, `Saved config to ${file}\nAuthenticated as: ${me.email || me.sub}\n`);
}

export async function runLogout(host: Host): Promise<void> {
  const file = loginFile(host);
  // A file that cannot be read is removed all the same.
  const saved = await readLogin(host).catch((): SavedLogin => ({}));
  await rm(file, { force: true });
  await write(host.streams.out, `Removed ${file}\n`);
  const { revokeAtIssuer } = await import('./revoke.ts');
  const told = await revokeAtIssuer(host, saved);
  if (told !== undefined) await write(host.streams.out, `${told}\n`);
}

async function secretsFor(host: Host, options: LoginOptions, url: URL): Promise<SavedLogin> {
  const key = await keyGiven(host, options);
  if (key !== undefined) return { api_key: key };
  const given = options.token ?? host.environment.token;
  if (given !== undefined) return { token: given };
  const signIn = await signInAt(host, url);
  if (signIn.mode === 'dev') return {};
  if (signIn.mode === 'keys') {
    throw new CommandError(
      'this installation lets people in by API key: give it with --with-key on standard input',
    );
  }
  const { discover } = await import('./issuer.ts');
  const issuer = await discover(host, signIn);
  const byCode = options.browser !== true && issuer.deviceEndpoint !== undefined;
  const tokens = byCode
    ? await (await import('./device.ts')).deviceFlow(host, issuer)
    : await (await import('./browser.ts')).browserFlow(host, issuer);
  const { tokenEndpoint: token_endpoint, revocationEndpoint: revocation_endpoint } = issuer;
  return {
    ...tokens,
    token_endpoint,
    ...(revocation_endpoint && { revocation_endpoint }),
    client_id: issuer.clientId,
  };
}

async function keyGiven(host: Host, { apiKey, withKey }: LoginOptions): Promise<string | undefined> {
  if (withKey !== true) return apiKey ?? host.environment.apiKey;
  const key = (await text(host.streams.in)).trim();
  if (key === '') throw new CommandError('--with-key: standard input holds no key', 2);
  return key;
}

async function signInAt(host: Host, url: URL): Promise<SignIn> {
  const router: RouterAccess = { url };
  return callRouter<SignIn>(router, routerUrl(router, '/api/v1/auth/config'), { signal: host.signal });
}
