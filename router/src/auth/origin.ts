// SPDX-License-Identifier: Apache-2.0
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { refusals } from '../api/errors.ts';

/**
 * May a page of this origin talk to us? WebSockets are exempt from CORS, so a browser lets any page open one and only
 * the server can refuse (RFC 6455, 10.2). Programs that are no browsers send no Origin. `host` is the Host header.
 */
export function originAllowed(
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean {
  if (origin === undefined) return true;
  if (allowed.includes(origin)) return true;
  // "null" is what sandboxed frames and file: pages send: it does not parse as a URL, hence is refused.
  if (!URL.canParse(origin) || host === undefined) return false;
  return new URL(origin).host === host.toLowerCase();
}

/** Names that no DNS server of an attacker answers for: without a dot, of this machine, or of the cluster. */
const LOCAL_NAME = /^[^.]+$|\.(localhost|svc|cluster\.local)$/;

/**
 * Can this Host header only come from somebody who was told of this server? A page of a name that its owner lets lead here
 * (DNS rebinding) is of one origin with us to its browser, and its reads carry no Origin at all: only the name gives it away.
 * Addresses and local names cannot be rebound; others have to be listed, as an origin.
 */
export function hostIsOwn(host: string | undefined, allowed: readonly string[]): boolean {
  const url = `http://${host ?? ''}`;
  if (host === undefined || !URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return true;
  const name = hostname.replace(/\.$/, '');
  return LOCAL_NAME.test(name) || allowed.some((origin) => new URL(origin).hostname === name);
}

/**
 * Throws the 403 for what only a page of somebody else's could have sent. In development mode no credential is asked for, so
 * there a name that was rebound is refused as well.
 */
export function refuseForeignPage(
  { origin, host }: Pick<IncomingHttpHeaders, 'origin' | 'host'>,
  { corsOrigins, devAuth }: { readonly corsOrigins: readonly string[]; readonly devAuth: boolean },
): void {
  if (devAuth && !hostIsOwn(host, corsOrigins)) throw refusals.hostRefused(String(host));
  if (!originAllowed(origin, host, corsOrigins)) throw refusals.originRefused(String(origin));
}
