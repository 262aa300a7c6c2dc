// SPDX-License-Identifier: Apache-2.0

/** Who the API server should take the caller for; the caller's own identity needs the `impersonate` verb. */
export interface Impersonation {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Impersonation headers with array values, so that a client writes one header line per value. The API server reads each
 * Impersonate-Group line as one whole group name: joined with commas (what fetch does) they would be one unknown group.
 */
export function impersonationHeaders(as: Impersonation | undefined): Record<string, string[]> {
  if (!as) return {};
  const headers: Record<string, string[]> = { 'Impersonate-User': [headerValue(as.user)] };
  if (as.groups?.length) headers['Impersonate-Group'] = as.groups.map(headerValue);
  for (const [key, values] of Object.entries(as.extra ?? {})) {
    headers[`Impersonate-Extra-${encodeExtraKey(key)}`] = values.map(headerValue);
  }
  return headers;
}

/** Extra keys travel in header names: everything but RFC 9110 token characters is percent-encoded (so is `%` itself). */
const encodeExtraKey = (key: string): string =>
  encodeURIComponent(key.toLowerCase()).replace(/[()]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);

/**
 * Header values are bytes to Node (latin1), UTF-8 to Go: names beyond ASCII are handed over as their UTF-8 bytes. Line
 * breaks would start a new header: refused rather than cleaned, since a changed identity is worse than none.
 */
function headerValue(value: string): string {
  if (/[\r\n\0]/.test(value)) throw new TypeError('impersonation values must not contain line breaks or NUL');
  return Buffer.from(value, 'utf8').toString('latin1');
}
