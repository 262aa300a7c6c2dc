// SPDX-License-Identifier: Apache-2.0

/** Token bucket: `perSecond` tokens flow in, at most `burst` are kept. */
export interface BucketLimits {
  readonly perSecond: number;
  readonly burst: number;
}

export interface BucketState {
  readonly tokens: number;
  /** Milliseconds on a clock that never jumps back. */
  readonly at: number;
}

/** Takes so many tokens, or none when there are fewer: then `allowed` is false, and there will be enough after `waitMs`. */
export function take(
  state: BucketState | undefined,
  now: number,
  limits: BucketLimits,
  count = 1,
): { readonly allowed: boolean; readonly waitMs: number; readonly state: BucketState } {
  const before = state ?? { tokens: limits.burst, at: now };
  const refill = (Math.max(0, now - before.at) / 1000) * limits.perSecond;
  const tokens = Math.min(limits.burst, before.tokens + refill);
  if (tokens >= count) return { allowed: true, waitMs: 0, state: { tokens: tokens - count, at: now } };
  const waitMs = ((count - tokens) / limits.perSecond) * 1000;
  return { allowed: false, waitMs, state: { tokens, at: now } };
}
