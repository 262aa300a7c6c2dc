// SPDX-License-Identifier: Apache-2.0

/**
 * Remembers for a while that a pod's runtime could not be reached. A closed port costs a connect timeout; paying it for
 * every command would make the way around it slower than the way itself. After the time is up it is tried again.
 */
export const UNREACHABLE_MS = 30_000;

const MAX_PODS = 10_000;

export class Reachability {
  readonly #until = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  isReachable(podUid: string): boolean {
    const until = this.#until.get(podUid);
    if (until === undefined) return true;
    if (until > this.#now()) return false;
    this.#until.delete(podUid);
    return true;
  }

  failed(podUid: string): void {
    if (this.#until.size >= MAX_PODS) this.#until.clear();
    this.#until.set(podUid, this.#now() + UNREACHABLE_MS);
  }

  /** The pod changed or went: what was known about it is worth nothing. */
  forget(podUid: string): void {
    this.#until.delete(podUid);
  }
}
