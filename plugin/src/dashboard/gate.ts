// SPDX-License-Identifier: Apache-2.0
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What the proxy does with a request. */
export type Verdict =
  /** Passed on with the caller's rights. */
  | { readonly to: 'router' }
  /** Passed on without any: the files of the dashboard, the same for everybody. */
  | { readonly to: 'pages' }
  /** The link that was printed. */
  | { readonly to: 'link'; readonly token: string }
  | { readonly to: 'nowhere'; readonly status: number; readonly message: string };

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Lock {
  /** `127.0.0.1:PORT`, the only name this proxy goes by. */
  readonly host: string;
  /** What pages prove with that they came by a link. */
  readonly key: string;
}

export const LINK_PATH = '/.agenttier/open';
const PROGRAMS = /^\/(?:api|mcp)(?:\/|$)/;
/** The router's own pages for machines, and sockets, which come as upgrades. */
const CLOSED = /^\/(?:ws|metrics|healthz|readyz)(?:\/|$)/;

/**
 * Who may pass. Everybody on this machine reaches a port of 127.0.0.1, and so does every page in the browser: only what
 * carries the key in a header is passed on with rights. No page of another origin can read or send it: it lies in
 * sessionStorage, which belongs to host *and* port, unlike cookies, which every server of 127.0.0.1 is shown. A name that was
 * rebound to this address (DNS rebinding) is refused by Host.
 */
export function judge(asked: Asked, lock: Lock): Verdict {
  const foreign = foreignness(asked, lock);
  if (foreign !== undefined) return foreign;
  const url = new URL(asked.url, 'http://x');
  if (url.pathname === LINK_PATH && asked.method === 'GET') {
    return { to: 'link', token: url.searchParams.get('token') ?? '' };
  }
  if (!OWN_SITES.has(asked.headers['sec-fetch-site'])) return refuse(403, FOREIGN);
  if (PROGRAMS.test(url.pathname)) return hasKey(asked, lock) ? { to: 'router' } : refuse(401, NO_LINK);
  if (!READS.has(asked.method) || CLOSED.test(url.pathname)) return refuse(404, 'there is no such page');
  return { to: 'pages' };
}

/** Of our own pages, or what a person has typed; programs that are no browsers say nothing. */
const OWN_SITES: ReadonlySet<unknown> = new Set(['same-origin', 'none', undefined]);
const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

function foreignness({ url, headers: { host, origin } }: Asked, lock: Lock): Verdict | undefined {
  // The target of a request to a forward proxy names a host: this is none of those.
  const isPath = url.startsWith('/') && !url.startsWith('//');
  if (!isPath || !URL.canParse(url, 'http://x')) return refuse(400, 'no path');
  if (host !== lock.host) return refuse(421, `this is ${lock.host} and goes by no other name`);
  if (origin !== undefined && origin !== `http://${lock.host}`) return refuse(403, FOREIGN);
  return undefined;
}

function hasKey({ headers }: Asked, lock: Lock): boolean {
  const key = headers['x-api-key'];
  return typeof key === 'string' && isSame(key, lock.key);
}

const FOREIGN = 'a page of another origin may not use this proxy';
const NO_LINK =
  'open the dashboard by the link that kubectl agenttier dashboard prints; Enter there makes another one';

/**
 * May this WebSocket pass? A browser sends no header of ours with it, so it proves itself by a ticket of the router that
 * came through this proxy a moment ago.
 */
export function judgeSocket(asked: Asked, lock: Lock, isOurTicket: (ticket: string) => boolean): boolean {
  const { host, origin } = asked.headers;
  if (host !== lock.host || origin !== `http://${lock.host}`) return false;
  if (!asked.url.startsWith('/ws/') || !URL.canParse(asked.url, 'http://x')) return false;
  return isOurTicket(new URL(asked.url, 'http://x').searchParams.get('ticket') ?? '');
}

const refuse = (status: number, message: string): Verdict => ({ to: 'nowhere', status, message });

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Takes as long for every wrong one. */
export function isSame(given: string, right: string): boolean {
  return timingSafeEqual(hash(given), hash(right));
}
