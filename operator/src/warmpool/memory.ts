// SPDX-License-Identifier: Apache-2.0
import { Demand } from './demand.ts';
import { OfferMemo } from './offer.ts';
import type { PoolNotes } from './state.ts';

const FIRST_RETRY_MS = 5_000;
const MAX_RETRY_MS = 300_000;
/** After a change of leader it takes this long to be sure that what has no pod is not about to get one. */
const LEFTOVER_MS = 60_000;

/** What the leader knows of one pool beyond the API's objects. */
export class PoolMemory {
  readonly demand = new Demand();
  readonly offers = new OfferMemo();
  /** Names of slots whose objects are being created. */
  readonly inFlight = new Set<string>();
  /** Names of slots that this process took out of use. */
  readonly drained = new Set<string>();
  statusAt = 0;
  readonly #since = new Map<string, number>();
  readonly #failed = new Set<string>();
  #failures = 0;
  #retryAt = 0;
  #refusal: string | undefined;
  #claimed = 0;
  #missed = 0;

  notes(): PoolNotes {
    return {
      inFlight: this.inFlight.size,
      retryAt: this.#retryAt,
      refusal: this.#refusal,
      claimed: this.#claimed,
      missed: this.#missed,
    };
  }

  count(result: 'hit' | 'miss', now: number): void {
    if (result === 'hit') this.#claimed++;
    else this.#missed++;
    this.demand.add(now);
  }

  /** What was counted is stored. */
  stored({ claimed, missed }: PoolNotes): void {
    this.#claimed -= claimed;
    this.#missed -= missed;
  }

  /** A slot came up: whatever went wrong before is over. */
  succeeded(): void {
    this.#failures = 0;
    this.#refusal = undefined;
    this.#retryAt = 0;
  }

  /** A slot failed; counted once, under its uid. */
  failed(uid: string, now: number): void {
    if (this.#failed.has(uid)) return;
    this.#failed.add(uid);
    this.#backOff(now);
  }

  refused(message: string, now: number): void {
    this.#refusal = message;
    this.#backOff(now);
  }

  /** Whether the objects of a slot without a pod may be deleted. */
  isLeftover(name: string, now: number): boolean {
    if (this.inFlight.has(name)) return false;
    if (this.drained.has(name)) return true;
    const since = this.#since.get(name) ?? now;
    this.#since.set(name, since);
    return now - since >= LEFTOVER_MS;
  }

  swept(name: string): void {
    this.#since.delete(name);
    this.drained.delete(name);
  }

  /** Several failures at the same time are one. */
  #backOff(now: number): void {
    if (this.#retryAt > now) return;
    this.#failures++;
    this.#retryAt = now + Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 10));
  }
}
