// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandError } from '../context/failure.ts';
import { type Host, write } from '../context/host.ts';
import type { Issuer } from './issuer.ts';
import { claimsOf, requestTokens, type Tokens } from './tokens.ts';

const random = (): string => randomBytes(32).toString('base64url');

/**
 * Browser flow for native programs (RFC 8252): the issuer sends the browser back to a listener on loopback. PKCE (RFC 7636)
 * makes the code useless to whoever else sees it, `state` and `nonce` tie the answer to this very question.
 */
export async function browserFlow(host: Host, issuer: Issuer): Promise<Tokens> {
  const secrets = { state: random(), nonce: random(), verifier: random() };
  const answered = Promise.withResolvers<URL>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (url.pathname !== '/callback' || url.searchParams.get('state') !== secrets.state) {
      return page(response, 404, 'This page is for the sign-in of kubectl agenttier.');
    }
    page(response, 200, 'You are signed in, or the terminal says why not. This window can be closed.');
    answered.resolve(url);
  });
  const abort = (): void => answered.reject(host.signal.reason);
  host.signal.addEventListener('abort', abort, { once: true });
  try {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const redirect = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
    await write(host.streams.err, `Open ${authorizationUrl(issuer, secrets, redirect)}\n`);
    return await exchange(host, issuer, {
      ...secrets,
      redirect,
      answer: (await answered.promise).searchParams,
    });
  } finally {
    host.signal.removeEventListener('abort', abort);
    server.close();
    server.closeAllConnections();
  }
}

interface Secrets {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

function authorizationUrl(issuer: Issuer, { state, nonce, verifier }: Secrets, redirect: string): string {
  const url = new URL(issuer.authorizationEndpoint);
  const query = {
    response_type: 'code',
    client_id: issuer.clientId,
    redirect_uri: redirect,
    scope: issuer.scope,
    state,
    nonce,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

async function exchange(
  host: Host,
  issuer: Issuer,
  asked: Secrets & { readonly redirect: string; readonly answer: URLSearchParams },
): Promise<Tokens> {
  const code = asked.answer.get('code');
  if (code === null) {
    const why = asked.answer.get('error_description') ?? asked.answer.get('error') ?? 'no reason was given';
    throw new CommandError(`the sign-in was declined: ${why}`);
  }
  const tokens = await requestTokens(host, issuer.tokenEndpoint, {
    grant_type: 'authorization_code',
    client_id: issuer.clientId,
    redirect_uri: asked.redirect,
    code_verifier: asked.verifier,
    code,
  });
  const { nonce } = claimsOf(tokens.token ?? '');
  if (nonce !== undefined && nonce !== asked.nonce) {
    throw new CommandError('the issuer answered another sign-in than this one; try again');
  }
  return tokens;
}

function page(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' })
    .end(`${text}\n`);
}
