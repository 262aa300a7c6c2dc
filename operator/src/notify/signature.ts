// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';

export interface Signed {
  readonly key: Uint8Array;
  readonly body: string;
  readonly id: string;
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

const hex = (key: Uint8Array, text: string): string => createHmac('sha256', key).update(text).digest('hex');

/**
 * The first signature covers the body alone, as in earlier versions. The second covers the time as well, so that a receiver
 * that refuses old times cannot be sent the same request again by somebody who has seen it.
 */
export function signatureHeaders({ key, body, id, timestamp }: Signed): Record<string, string> {
  return {
    'X-AgentTier-Delivery': id,
    'X-AgentTier-Timestamp': String(timestamp),
    'X-AgentTier-Signature': `sha256=${hex(key, body)}`,
    'X-AgentTier-Signature-V2': `sha256=${hex(key, `${timestamp}.${body}`)}`,
  };
}
