// SPDX-License-Identifier: Apache-2.0
import { CommandError } from '../context/failure.ts';
import type { GlobalFlags, Host } from '../context/host.ts';
import type { SavedLogin } from './savedLogin.ts';

/** What lets the caller in: goes into a header and nowhere else. */
export interface Credential {
  readonly header: 'X-API-Key' | 'Authorization';
  readonly value: string;
}

interface Given {
  readonly apiKey?: string | undefined;
  readonly token?: string | undefined;
}

/** A key wins over a token that was given in the same place. */
export function credentialOf({ apiKey, token }: Given): Credential | undefined {
  if (apiKey !== undefined) return { header: 'X-API-Key', value: apiKey };
  if (token !== undefined) return { header: 'Authorization', value: `Bearer ${token}` };
  return undefined;
}

/** Flags win over the environment. */
export const givenCredential = (host: Host, flags: GlobalFlags): Credential | undefined =>
  credentialOf(flags) ?? credentialOf(host.environment);

/** Renewed this long before its end, so that it does not end on the way. */
const EARLY_MS = 30_000;

/** The remembered credential, renewed first where its time is up. Throws CommandError when that cannot be done. */
export async function savedCredential(host: Host, saved: SavedLogin): Promise<Credential | undefined> {
  if (saved.api_key !== undefined) return credentialOf({ apiKey: saved.api_key });
  if (saved.token === undefined) return undefined;
  const expires = Date.parse(saved.token_expires_at ?? '');
  if (Number.isNaN(expires) || expires - EARLY_MS > host.clock.now()) return credentialOf(saved);
  if (saved.refresh_token === undefined || saved.token_endpoint === undefined) throw signInAgain();
  const { renewTokens } = await import('../login/tokens.ts');
  const fresh = await renewTokens(host, saved);
  if (fresh === undefined) throw signInAgain();
  const { writeLogin } = await import('./savedLogin.ts');
  await writeLogin(host, { ...saved, ...fresh });
  return credentialOf(fresh);
}

const signInAgain = (): CommandError =>
  new CommandError('your sign-in has expired; sign in again with: kubectl agenttier login');
