// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from 'node:stream';
import type { Stores } from '../cluster/caches.ts';
import type { PreviewDoor, Visitor } from './door.ts';

/** setTimeout takes no more (2^31 - 1 ms); a session is shorter. */
const MAX_TIMER = 2_147_483_647;

/** Connections that outlast their request: they end when whoever opened them may be there no longer. */
export class OpenTunnels {
  readonly #open = new Map<Duplex, Visitor>();
  readonly #door: Pick<PreviewDoor, 'stillMay'>;

  constructor(door: Pick<PreviewDoor, 'stillMay'>, stores: Pick<Stores, 'sandboxes' | 'apiKeys'>) {
    this.#door = door;
    stores.sandboxes.subscribe(({ object, old }) => {
      const uids = [object.metadata.uid, old?.metadata.uid];
      this.#review(({ sandbox }) => uids.includes(sandbox.metadata.uid));
    });
    stores.apiKeys.subscribe(({ object }) =>
      this.#review(({ session }) => session.keyId === object.metadata.name),
    );
  }

  hold(socket: Duplex, visitor: Visitor): void {
    this.#open.set(socket, visitor);
    const left = Math.min(visitor.session.expiresAt - Date.now(), MAX_TIMER);
    const end = setTimeout(() => socket.destroy(), left).unref();
    socket.once('close', () => {
      clearTimeout(end);
      this.#open.delete(socket);
    });
  }

  #review(isAbout: (visitor: Visitor) => boolean): void {
    for (const [socket, visitor] of this.#open) {
      if (isAbout(visitor) && !this.#door.stillMay(visitor)) socket.destroy();
    }
  }
}
