// SPDX-License-Identifier: Apache-2.0
import type { SavedLogin } from '../client/savedLogin.ts';
import type { Host } from '../context/host.ts';

/** Nobody who leaves waits longer for an issuer that is away. */
const WAIT_MS = 5_000;

/** Has the issuer end a refresh token (RFC 7009). What came of it, as a sentence; undefined when there is none to end. */
export async function revokeAtIssuer(host: Host, saved: SavedLogin): Promise<string | undefined> {
  const { refresh_token: token, revocation_endpoint: endpoint, client_id = '' } = saved;
  if (token === undefined) return undefined;
  if (endpoint === undefined) return 'The issuer knows no way to end a sign-in early: it ends by itself.';
  const where = URL.canParse(endpoint) ? new URL(endpoint).origin : 'of this login';
  try {
    const answer = await fetch(endpoint, {
      method: 'POST',
      body: new URLSearchParams({ client_id, token, token_type_hint: 'refresh_token' }),
      redirect: 'error',
      signal: AbortSignal.any([host.signal, AbortSignal.timeout(WAIT_MS)]),
    });
    await answer.body?.cancel();
    if (answer.ok) return `Ended the sign-in at the issuer ${where}`;
  } catch (error) {
    if (host.signal.aborted) throw error;
  }
  return `The issuer ${where} could not be told: the sign-in there ends by itself.`;
}
