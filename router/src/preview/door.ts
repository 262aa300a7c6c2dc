// SPDX-License-Identifier: Apache-2.0
import type { IncomingHttpHeaders } from 'node:http';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { previewable } from '../api/ports/forwarded.ts';
import { refusals } from '../api/errors.ts';
import { mayDo, roleOn, scopeRefusal } from '../auth/authorize.ts';
import { namespacesOf } from '../auth/namespaces.ts';
import type { GroupNamespaces } from '../auth/namespaces.ts';
import { isExpired, readKeySecret } from '../auth/keyRecord.ts';
import type { Principal } from '../auth/principal.ts';
import { bearerOf, verifyTicket } from '../auth/tickets.ts';
import type { Ticket } from '../auth/tickets.ts';
import { BY_PREVIEW } from '../cluster/caches.ts';
import type { Stores } from '../cluster/caches.ts';
import { installKey } from './entry.ts';
import type { PreviewHost } from './host.ts';
import { cookieValues, openSession, sealSession, sessionCookie, sessionOf } from './session.ts';
import type { PreviewSession } from './session.ts';

export interface DoorOptions {
  readonly stores: Pick<Stores, 'sandboxes' | 'keys' | 'apiKeys'>;
  readonly installNamespace: string;
  /** Namespaces that groups open. */
  readonly groupNamespaces: GroupNamespaces;
  /** Whether browsers come over TLS. */
  readonly isSecure: boolean;
  readonly now?: () => number;
}

/** Somebody who may be where they are. */
export interface Visitor {
  readonly sandbox: Sandbox;
  readonly principal: Principal;
  readonly session: PreviewSession;
}

/** Somebody at the door, with a ticket that lets them in. */
export interface Entry extends Visitor {
  readonly cookie: string;
  readonly ticket: Ticket;
}

/** Decides who comes into previews. */
export class PreviewDoor {
  readonly #options: DoorOptions;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** Reads a ticket, with the cookie that is to stand for it from now on. Throws the 401; it is not used up by this. */
  read(host: PreviewHost, ticketText: string): Entry {
    const { stores, isSecure } = this.#options;
    const now = this.#now();
    const key = installKey(stores.keys);
    const verdict = verifyTicket(key, ticketText, 'preview', now);
    const sandbox = this.#sandboxOf(host);
    if (!verdict.ok || !sandbox) throw refusals.previewClosed();
    const session = sessionOf(verdict.ticket, host.port, now);
    const principal = this.mayEnter(session, sandbox);
    if (!principal) throw refusals.previewClosed();
    const cookie = sessionCookie(sealSession(key, session), isSecure, session.expiresAt - now);
    return { sandbox, principal, session, cookie, ticket: verdict.ticket };
  }

  /** Whoever sends the request. Throws one 401 for all reasons: what there is is nobody else's business. */
  admit(host: PreviewHost, headers: IncomingHttpHeaders): Visitor {
    const { stores, isSecure } = this.#options;
    const key = installKey(stores.keys);
    const sandbox = this.#sandboxOf(host);
    for (const value of cookieValues(headers.cookie, isSecure)) {
      const session = openSession(key, value, this.#now());
      if (!session || !sandbox || session.port !== host.port) continue;
      const principal = this.mayEnter(session, sandbox);
      if (principal) return { sandbox, principal, session };
    }
    throw refusals.previewClosed();
  }

  /** Who the session is of, if they still may enter the sandbox. */
  mayEnter(session: PreviewSession, sandbox: Sandbox): Principal | undefined {
    if (session.expiresAt <= this.#now() || session.sandboxUid !== sandbox.metadata.uid) return undefined;
    const bearer = bearerOf({ ...session, purpose: 'preview', nonce: '' }, (id) => this.#keyOf(id));
    const principal = bearer && this.#limited(bearer);
    const role = principal && roleOn(principal, sandbox);
    if (!role || !mayDo(role, 'ports') || !mayDo(session.role, 'ports')) return undefined;
    return scopeRefusal(principal, 'ports', sandbox.metadata.name) === undefined ? principal : undefined;
  }

  /** Is what was admitted still so: for connections that last. */
  stillMay({ session, sandbox }: Visitor): boolean {
    const { namespace, name = '' } = sandbox.metadata;
    const now = this.#options.stores.sandboxes.get(namespace, name);
    if (!now || !this.mayEnter(session, now)) return false;
    return (now.spec?.ports ?? []).some(({ port }) => port === session.port);
  }

  #sandboxOf({ place }: PreviewHost): Sandbox | undefined {
    const { sandboxes } = this.#options.stores;
    if (place === undefined) return undefined;
    return 'digest' in place
      ? sandboxes.byIndex(BY_PREVIEW, place.digest)[0]
      : sandboxes.get(place.namespace, place.name);
  }

  /** A session says which groups of the person open namespaces; which ones those are is asked anew. */
  #limited(bearer: Principal): Principal {
    const { key, groups, isAdmin } = bearer;
    const opening = key ? (key.groups ?? []) : groups;
    const namespaces = isAdmin ? undefined : namespacesOf(opening, this.#options.groupNamespaces);
    return namespaces === undefined ? bearer : { ...bearer, namespaces };
  }

  #keyOf(id: string): Principal | undefined {
    const { stores, installNamespace } = this.#options;
    const secret = stores.apiKeys.get(installNamespace, id);
    const record = secret && readKeySecret(secret);
    return record && !isExpired(record, this.#now()) ? record.principal : undefined;
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }
}

/** The forwarded port that the host names. Throws the 404. */
export const portOf = ({ sandbox, session }: Visitor) => previewable(sandbox.spec?.ports, session.port);

/**
 * Previews of others are of the same site to a browser, so their pages can make it send its cookie here. They may lead a
 * person here, and nothing else: neither ask in their name nor use what is here as a part of themselves.
 */
export function isForeign(method: string, headers: IncomingHttpHeaders, ownOrigin: string): boolean {
  const { origin } = headers;
  if (origin !== undefined && origin !== ownOrigin) return true;
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  const leads = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return !(leads && (method === 'GET' || method === 'HEAD'));
}
