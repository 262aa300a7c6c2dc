// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';

/**
 * A bearer token that whoever holds `key` can compute for a `subject` (for instance an object's uid), and nobody else:
 * HMAC-SHA256 (RFC 2104), 43 characters of base64url. Knowing the tokens of other subjects does not help.
 */
export function deriveToken(key: Uint8Array, subject: string): string {
  return createHmac('sha256', key).update(subject).digest('base64url');
}
