// SPDX-License-Identifier: Apache-2.0

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
