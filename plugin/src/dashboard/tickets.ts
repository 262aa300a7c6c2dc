// SPDX-License-Identifier: Apache-2.0

/** The router's tickets are good for a minute; a clock that is a little off must not matter. */
const KEPT_MS = 120_000;

/** Tickets for terminals that came through the proxy lately: whoever has one has asked for it with the key. */
export class Tickets {
  readonly #now: () => number;
  readonly #known = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  keep(ticket: string): void {
    const now = this.#now();
    for (const [one, until] of this.#known) if (until <= now) this.#known.delete(one);
    this.#known.set(ticket, now + KEPT_MS);
  }

  readonly has = (ticket: string): boolean => (this.#known.get(ticket) ?? 0) > this.#now();

  clear(): void {
    this.#known.clear();
  }
}

const PATH = /^\/api\/v1\/sandboxes\/[^/?]+\/terminal-tickets(?:\?|$)/;

/** Does the answer to this request hold a ticket? */
export const asksForTicket = (method: string, url: string): boolean => method === 'POST' && PATH.test(url);

export function ticketIn(body: string): string | undefined {
  try {
    const { ticket } = JSON.parse(body) as { ticket?: unknown };
    return typeof ticket === 'string' && ticket !== '' ? ticket : undefined;
  } catch {
    return undefined;
  }
}
