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

/** Takes one token; `allowed` is false, and nothing is taken, when none is left. */
export function take(
  state: BucketState | undefined,
  now: number,
  limits: BucketLimits,
): { readonly allowed: boolean; readonly state: BucketState } {
  const before = state ?? { tokens: limits.burst, at: now };
  const refill = (Math.max(0, now - before.at) / 1000) * limits.perSecond;
  const tokens = Math.min(limits.burst, before.tokens + refill);
  if (tokens < 1) return { allowed: false, state: { tokens, at: now } };
  return { allowed: true, state: { tokens: tokens - 1, at: now } };
}
