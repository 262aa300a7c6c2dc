// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';

/** A strong tag of these very bytes. */
export const tagOfContent = (content: string): string =>
  `"${hash('sha256', content, 'base64url').slice(0, 27)}"`;

/** A weak tag of a state that these versions make up: another release may show the same state otherwise. */
export const tagOfVersions = (versions: readonly string[]): string =>
  `W/${tagOfContent(versions.join('\n'))}`;

/** Does a header such as If-None-Match name the tag? RFC 9110 section 8.8.3.2, weak comparison. */
export function namesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  const listed = header.split(',').map((one) => one.trim());
  return listed.includes('*') || listed.map(opaque).includes(opaque(tag));
}

const opaque = (tag: string): string => tag.replace(/^W\//, '');
