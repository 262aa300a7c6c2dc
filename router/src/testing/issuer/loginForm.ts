// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Provider, Question } from './provider.ts';

/** The provider with a form that asks who it is, and takes everybody's word for it. */
export function withLoginForm(provider: Provider): RequestListener {
  const others = provider.callback();
  return (request, response) => {
    if (!request.url?.startsWith('/login/')) return others(request, response);
    answer(provider, request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  };
}

async function answer(
  provider: Provider,
  ...[request, response]: Parameters<RequestListener>
): Promise<void> {
  const question = await provider.interactionDetails(request, response);
  if (question.prompt.name === 'consent') {
    const consent = { grantId: await grantOf(provider, question) };
    return provider.interactionFinished(request, response, { consent });
  }
  if (request.method === 'POST') {
    const login = { accountId: await nameIn(request) };
    return provider.interactionFinished(request, response, { login });
  }
  response.writeHead(200, { 'content-type': 'text/html' }).end(FORM);
}

/** All that was asked for. */
function grantOf({ Grant }: Provider, { params, session }: Question): Promise<string> {
  const grant = new Grant({ accountId: session?.accountId ?? '', clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return grant.save();
}

const nameIn = async (request: IncomingMessage): Promise<string> =>
  new URLSearchParams(await text(request)).get('person') ?? '';

const FORM =
  '<!doctype html><html lang="en"><title>Test issuer</title><form method="post">' +
  '<label>Person <input name="person" required></label><button>Sign in</button></form></html>';
