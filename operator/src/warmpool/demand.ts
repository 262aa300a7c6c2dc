// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import { parseDuration } from '@agenttier/crds/meta/duration';

const WINDOW_MS = 10 * 60_000;
/** Windows that are looked back on. */
const WINDOWS = 20;
const SHARE = 0.95;

/**
 * How many starts wanted a slot, in windows of equal length. The count of a window is what a pool must have had free to
 * serve all of them without a refill.
 */
export class Demand {
  #windowMs = WINDOW_MS;
  readonly #counts = new Map<number, number>();
  #since: number | undefined;
  #born: number | undefined;

  /** Whether it has been watched for long enough to say that there is less demand than there are slots. */
  isSettled(now: number): boolean {
    this.#born ??= now;
    return now - this.#born >= this.#windowMs;
  }

  /** Another length of window begins anew. */
  setWindow(ms: number): void {
    if (ms === this.#windowMs || ms <= 0) return;
    this.#windowMs = ms;
    this.#counts.clear();
    this.#since = undefined;
  }

  add(now: number): void {
    this.#since ??= now;
    const window = this.#window(now);
    this.#counts.set(window, (this.#counts.get(window) ?? 0) + 1);
    for (const old of this.#counts.keys()) if (old <= window - WINDOWS) this.#counts.delete(old);
  }

  /** The 95th percentile of starts per window since the first; 0 before that. */
  peak(now: number): number {
    if (this.#since === undefined) return 0;
    const current = this.#window(now);
    const first = Math.max(this.#window(this.#since), current - WINDOWS + 1);
    if (first > current) return 0;
    const counts = Array.from({ length: current - first + 1 }, (_, i) => this.#counts.get(first + i) ?? 0);
    counts.sort((a, b) => a - b);
    return counts[Math.ceil(SHARE * counts.length) - 1] ?? 0;
  }

  /** Milliseconds until the next window begins. */
  nextWindowMs(now: number): number {
    return this.#windowMs - (now % this.#windowMs);
  }

  #window(now: number): number {
    return Math.floor(now / this.#windowMs);
  }
}

export const windowOf = ({ autoscale }: SandboxWarmPool['spec']): number =>
  parseDuration(autoscale?.window ?? '') || WINDOW_MS;

/** Free slots that the pool is to keep: as written, or as the demand of late says, between the bounds. */
export function wantedSlots({ replicas = 1, autoscale }: SandboxWarmPool['spec'], demand: number): number {
  if (autoscale === undefined) return replicas;
  const { min = 0, max = Math.max(min, replicas) } = autoscale;
  return Math.min(max, Math.max(min, demand));
}
