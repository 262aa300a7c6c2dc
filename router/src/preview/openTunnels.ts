// SPDX-License-Identifier: Apache-2.0
import type { Readable, Writable } from 'node:stream';
import type { Stores } from '../cluster/caches.ts';

/** A connection that outlasts its request, or an answer that has no end, such as an event stream. */
export interface Held {
  readonly sandboxUid: string | undefined;
  /** Key that it was opened with. */
  readonly keyId?: string | undefined;
  /** Milliseconds of the epoch; absent = never by itself. */
  readonly endsAt?: number | undefined;
  /** Is what was admitted still so? */
  readonly stillMay: () => boolean;
}

type Open = Readable | Writable;

/** setTimeout takes no more (2^31 - 1 ms); what lasts longer ends by then. */
const MAX_TIMER = 2_147_483_647;

/** Ends connections when whoever opened them may be there no longer. */
export class OpenTunnels {
  readonly #open = new Map<Open, Held>();

  constructor(stores: Pick<Stores, 'sandboxes' | 'apiKeys'>) {
    stores.sandboxes.subscribe(({ object, old }) => {
      const uids = [object.metadata.uid, old?.metadata.uid];
      this.#review(({ sandboxUid }) => uids.includes(sandboxUid));
    });
    stores.apiKeys.subscribe(({ object }) => this.#review(({ keyId }) => keyId === object.metadata.name));
  }

  hold(socket: Open, held: Held): void {
    if (socket.destroyed) return;
    this.#open.set(socket, held);
    const left = Math.min((held.endsAt ?? Infinity) - Date.now(), MAX_TIMER);
    const end = setTimeout(() => socket.destroy(), left).unref();
    socket.once('close', () => {
      clearTimeout(end);
      this.#open.delete(socket);
    });
  }

  #review(isAbout: (held: Held) => boolean): void {
    for (const [socket, held] of this.#open) {
      if (isAbout(held) && !held.stillMay()) socket.destroy();
    }
  }
}
