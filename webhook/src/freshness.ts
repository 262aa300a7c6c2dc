// SPDX-License-Identifier: Apache-2.0
import { isKubeError } from '@agenttier/machinery/kube/errors';

/** A cut watch is opened again within seconds; only one that stays cut says that the store may have been left behind. */
const GRACE_MS = 30_000;

/**
 * Whether a reflector's store may be decided by. A watch that is refused (rights taken away, kind removed) makes it
 * stale at once, a connection that does not come back makes it stale after a while; the next thing heard heals both.
 */
export class Freshness {
  readonly #now: () => number;
  #failingSince: number | undefined;
  #refused = false;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A list, event or bookmark came in. */
  heard(): void {
    this.#failingSince = undefined;
    this.#refused = false;
  }

  failed(error: unknown): void {
    this.#failingSince ??= this.#now();
    this.#refused ||= isKubeError(error) && [401, 403, 404].includes(error.status);
  }

  current(): boolean {
    if (this.#failingSince === undefined) return true;
    return !this.#refused && this.#now() - this.#failingSince < GRACE_MS;
  }
}
