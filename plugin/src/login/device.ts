// SPDX-License-Identifier: Apache-2.0
import { CommandError } from '../context/failure.ts';
import { type Host, write } from '../context/host.ts';
import type { Issuer } from './issuer.ts';
import { IssuerError, postForm, requestTokens, textOf, type Tokens } from './tokens.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** Device flow (RFC 8628): the person confirms a code in a browser anywhere, and we ask until that is done. */
export async function deviceFlow(host: Host, issuer: Issuer): Promise<Tokens> {
  const { clientId: client_id, scope } = issuer;
  const started = await postForm(host, issuer.deviceEndpoint ?? '', { client_id, scope });
  const device_code = textOf(started['device_code']) ?? '';
  const complete = textOf(started['verification_uri_complete']);
  const place = complete ?? textOf(started['verification_uri']) ?? '';
  await write(
    host.streams.err,
    `Open ${place}\n${complete === undefined ? 'and enter' : 'and compare'} the code ${textOf(started['user_code']) ?? ''}\n`,
  );
  const form = { grant_type: GRANT, client_id, device_code };
  let seconds = typeof started['interval'] === 'number' ? started['interval'] : 5;
  for (;;) {
    await host.clock.sleep(seconds * 1000, host.signal);
    const tokens = await requestTokens(host, issuer.tokenEndpoint, form).catch((error: unknown) => {
      if (!(error instanceof IssuerError)) throw error;
      if (error.code === 'slow_down') seconds += 5;
      else if (error.code !== 'authorization_pending') throw explained(error);
      return undefined;
    });
    if (tokens) return tokens;
  }
}

function explained(error: IssuerError): CommandError {
  if (error.code === 'access_denied') return new CommandError('the sign-in was declined');
  if (error.code === 'expired_token')
    return new CommandError('the code was not confirmed in time; try again');
  return error;
}
