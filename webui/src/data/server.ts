// SPDX-License-Identifier: Apache-2.0
import { createClient } from '@agenttier/client';
import type { Client } from '@agenttier/client';
import { SESSION_HEADER } from '@agenttier/crds/wire/session';
import { createContext } from '@lit/context';
import { Changes } from './changes.ts';

/** What proves who asks. */
export type Credential =
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'apiKey'; readonly key: string }
  /** The browser has it in cookies of the server's own; no script can read it. */
  | { readonly kind: 'cookie' };

export interface ServerOptions {
  /** Where the API begins: `/api/v1`, also of another origin. */
  readonly apiBase: string;
  /** Asked before each request; undefined = nobody has signed in. */
  readonly credential: () => Promise<Credential | undefined>;
  /** The server does not know the credential (any more). */
  readonly onUnauthorized?: () => void;
  readonly fetch?: typeof fetch;
}

/** A server as elements see it: only `data/` speaks to it. */
export interface Server {
  readonly api: Client;
  readonly changes: Changes;
  /** Where it is, without `/api/v1`. */
  readonly url: string;
  /** For what the typed client cannot do: progress of an upload, for one. Adds who asks. */
  readonly fetch: typeof fetch;
}

/** Handed down by `<agenttier-provider>`. */
export const serverContext = createContext<Server | undefined>(Symbol.for('agenttier-server'));

export function connect(options: ServerOptions): Server {
  const url = new URL(options.apiBase.replace(/\/api\/v1\/?$/, '') || '/', globalThis.location.href).href;
  const signed = signedFetch(options);
  const api = createClient({ url, fetch: signed });
  const origin = url.replace(/\/+$/, '');
  const changes = new Changes((init) => signed(`${origin}/api/v1/events/stream`, init));
  return { api, changes, url: origin, fetch: signed };
}

function signedFetch({
  credential,
  onUnauthorized,
  fetch = globalThis.fetch,
}: ServerOptions): typeof globalThis.fetch {
  return async (input, init) => {
    const known = await credential();
    const headers = new Headers(init?.headers);
    if (known?.kind === 'bearer') headers.set('Authorization', `Bearer ${known.token}`);
    if (known?.kind === 'apiKey') headers.set('X-API-Key', known.key);
    if (known?.kind === 'cookie') headers.set(SESSION_HEADER, '1');
    const response = await fetch(input, { ...init, headers });
    if (response.status === 401) onUnauthorized?.();
    return response;
  };
}
