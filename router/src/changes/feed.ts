// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import type { SandboxRows } from '../api/sandboxes/rows.ts';
import { keyView } from '../api/keys/operations.ts';
import { templateView } from '../api/templates/view.ts';
import { poolView } from '../api/warmpools/view.ts';
import { subscriptionView } from '../api/webhooks/subscription.ts';
import { readKeySecret } from '../auth/keyRecord.ts';
import { signInEnd } from '../auth/principal.ts';
import type { Principal } from '../auth/principal.ts';
import type { Stores } from '../cluster/caches.ts';
import type { Secret } from '../cluster/shapes.ts';
import type { OutEvent } from '../sse/eventStream.ts';
import { meaningOf, openChange, ownChange, policyView, readerOf, sandboxChange } from './change.ts';
import type { Change, Reader } from './change.ts';
import { Follower } from './follower.ts';
import { Ring } from './ring.ts';
import type { Numbered } from './ring.ts';

export interface FeedOptions {
  readonly stores: Pick<
    Stores,
    | 'sandboxes'
    | 'clusterTemplates'
    | 'templates'
    | 'warmPools'
    | 'clusterPolicies'
    | 'policies'
    | 'subscriptions'
    | 'apiKeys'
  >;
  readonly rows: SandboxRows;
  /** Changes that a client can have missed and still go on from. */
  readonly remembered?: number;
}

export interface Following {
  readonly principal: Principal;
  /** Id of the last event that the client has seen. */
  readonly lastId?: string | undefined;
  /** The only one that the client asks about. */
  readonly namespace?: string | undefined;
  readonly signal: AbortSignal;
}

interface Seat extends Reader {
  readonly follower: Follower;
  readonly timer: NodeJS.Timeout | undefined;
}

/** Longest wait of a Node timer. */
const LONGEST_MS = 2_147_483_647;
/** Streams that one person may have open on this replica. */
export const STREAMS_PER_PERSON = 20;

/**
 * Tells clients of changes, as the watch of the cluster brings them. A change is looked at once, and costs work only for
 * the clients who may see it: they are filed under the same keys as the sandboxes. Numbers are this process's own, so
 * whoever comes from another replica, or after too long, is told to read everything anew.
 */
export class ChangeFeed {
  readonly #epoch = randomBytes(6).toString('hex');
  readonly #ring: Ring<Change>;
  readonly #seats = new Set<Seat>();
  readonly #byKey = new Map<string, Set<Seat>>();
  #isFollowed = false;
  #isClosed = false;

  constructor({ stores, rows, remembered = 1024 }: FeedOptions) {
    this.#ring = new Ring(remembered);
    stores.sandboxes.subscribe((event) =>
      this.#take(() => sandboxChange(event, (sandbox) => rows.of(sandbox))),
    );
    stores.clusterTemplates.subscribe((event) =>
      this.#take(() => openChange('template', event, templateView)),
    );
    stores.templates.subscribe((event) => this.#take(() => openChange('template', event, templateView)));
    stores.warmPools.subscribe((event) => this.#take(() => openChange('warmpool', event, poolView)));
    for (const policies of [stores.clusterPolicies, stores.policies]) {
      policies.subscribe((event) => this.#take(() => openChange('policy', event, policyView)));
    }
    stores.apiKeys.subscribe(({ type, object }) => {
      // Whatever became of the key: who goes on with it comes in again by the front door.
      const isGone = type === 'deleted' || readKeySecret(object) === undefined;
      if (isGone || type === 'modified') this.#endKey(object.metadata.name ?? '');
    });
    this.#followOwn(stores);
  }

  /** What people have of their own beside sandboxes. */
  #followOwn({ subscriptions, apiKeys }: FeedOptions['stores']): void {
    subscriptions.subscribe((event) =>
      this.#take(() =>
        ownChange('webhook', event, {
          viewOf: subscriptionView,
          ownerOf: ({ spec }) => spec.createdBy?.sub,
        }),
      ),
    );
    apiKeys.subscribe((event) =>
      this.#take(() =>
        ownChange('key', event, {
          viewOf: keySecretView,
          ownerOf: (secret) => readKeySecret(secret)?.principal.sub,
        }),
      ),
    );
  }

  /** How many streams the person has here. */
  countOf(sub: string): number {
    return [...this.#seats].filter(({ principal }) => principal.sub === sub).length;
  }

  /** Everything that the person may see, from what `lastId` names on. Ends with the sign-in, and with this process. */
  async *follow({ principal, lastId, namespace, signal }: Following): AsyncGenerator<OutEvent> {
    // One turn of the event loop: nothing can happen between the look back and the seat.
    const reader = { ...readerOf(principal), namespace };
    const missed = this.#missed(lastId);
    const seat = this.#sit(reader);
    const end = (): void => seat.follower.end();
    signal.addEventListener('abort', end, { once: true });
    if (this.#isClosed || signal.aborted) end();
    try {
      if (missed === undefined) yield this.#reset();
      for (const numbered of missed ?? []) {
        const event = this.#eventFor(numbered, reader);
        if (event !== undefined) yield event;
      }
      yield* seat.follower.events();
    } finally {
      signal.removeEventListener('abort', end);
      this.#leave(seat);
    }
  }

  /** Ends all streams: their clients go on at another replica. */
  close(): void {
    this.#isClosed = true;
    for (const { follower } of this.#seats) follower.end();
  }

  #id(number: number): string {
    return `${this.#epoch}-${number}`;
  }

  /** Without an id, or with one that this process cannot go on from, a client begins anew. */
  #missed(lastId: string | undefined): readonly Numbered<Change>[] | undefined {
    const [epoch, number = ''] = (lastId ?? '').split('-');
    return epoch === this.#epoch && /^\d{1,15}$/.test(number) ? this.#ring.after(Number(number)) : undefined;
  }

  #reset(): OutEvent {
    const message = 'read again what you show: changes follow from here';
    return { event: 'reset', data: { message }, id: this.#id(this.#ring.last) };
  }

  #sit(reader: Reader): Seat {
    this.#isFollowed = true;
    const follower = new Follower(() => this.#reset());
    const end = signInEnd(reader.principal);
    const left = end === undefined ? undefined : Math.min(Math.max(end - Date.now(), 0), LONGEST_MS);
    const timer = left === undefined ? undefined : setTimeout(() => follower.end(), left).unref();
    const seat = { ...reader, follower, timer };
    this.#seats.add(seat);
    for (const key of filedUnder(reader)) {
      const seats = this.#byKey.get(key) ?? new Set();
      this.#byKey.set(key, seats.add(seat));
    }
    return seat;
  }

  #leave(seat: Seat): void {
    clearTimeout(seat.timer);
    this.#seats.delete(seat);
    for (const key of filedUnder(seat)) {
      const seats = this.#byKey.get(key);
      seats?.delete(seat);
      if (seats?.size === 0) this.#byKey.delete(key);
    }
  }

  #endKey(name: string): void {
    for (const { principal, follower } of this.#seats) if (principal.key?.id === name) follower.end();
  }

  /** Before the first client nothing is remembered: what a replica reads at its start is no change. */
  #take(changeOf: () => Change | undefined): void {
    const change = this.#isFollowed ? changeOf() : undefined;
    if (change === undefined) return;
    const numbered = this.#ring.push(change);
    for (const seat of this.#seatsFor(change)) {
      const event = this.#eventFor(numbered, seat);
      if (event !== undefined) seat.follower.offer(event);
    }
  }

  #seatsFor({ before, after }: Change): Iterable<Seat> {
    if (before === 'everybody' || after === 'everybody') return this.#seats;
    const keys = [before, after].flatMap((audience) => (typeof audience === 'string' ? [] : audience));
    return new Set([ADMINISTRATORS, ...keys].flatMap((key) => [...(this.#byKey.get(key) ?? [])]));
  }

  #eventFor({ number, item }: Numbered<Change>, reader: Reader): OutEvent | undefined {
    const type = meaningOf(item, reader);
    if (type === undefined) return undefined;
    const { kind, namespace, name, view } = item;
    const object = type === 'deleted' ? { namespace, name } : view;
    return { event: kind, data: { type, object }, id: this.#id(number) };
  }
}

/** One that cannot be read is nobody's key. */
function keySecretView(secret: Secret): object {
  const record = readKeySecret(secret);
  return record === undefined ? {} : keyView(record);
}

/** No key of the reader index looks like it. */
const ADMINISTRATORS = 'administrators';

const filedUnder = ({ principal, keys }: Reader): readonly string[] =>
  principal.isAdmin ? [...keys, ADMINISTRATORS] : [...keys];
