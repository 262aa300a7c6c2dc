// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from '../kube/resource.ts';
import { IndexSet } from './indexes.ts';
import type { Indexers } from './indexes.ts';
import { OwnWrites } from './ownWrites.ts';

export interface StoreEvent<T> {
  readonly type: 'added' | 'modified' | 'deleted';
  readonly object: T;
  /** What the store held before; absent for `added`. */
  readonly old?: T;
}

export type StoreHandler<T> = (event: StoreEvent<T>) => void;

export interface StoreOptions<T> {
  /**
   * Reduces an object to what its readers need. Applied here and not by who watches, since an own write comes in whole and,
   * when nothing changes after it, stays. Must keep metadata's name, namespace, uid and version, and give the same for
   * what it gave.
   */
  readonly keep?: ((object: T) => T) | undefined;
  /** Monotonic milliseconds. */
  readonly now?: (() => number) | undefined;
}

/** `namespace/name`, or just the name for cluster-scoped objects: the key of stores and work queues. */
export function keyOf(object: KubeObject): string {
  const { namespace, name = '' } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

/** Splits a key of `keyOf`. */
export function splitKey(key: string): { namespace?: string; name: string } {
  const slash = key.indexOf('/');
  return slash === -1 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/**
 * The last known state of a collection. A reflector feeds it; readers never wait and never see half a change. Objects
 * are shared, so treat them as frozen.
 *
 * `applyLocal` gives read-your-own-writes: without it, a program that writes and then reads its store sees the state
 * before its own write until the watch catches up, and its next write built on that is refused as a conflict.
 */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes: IndexSet<T>;
  readonly #handlers = new Set<StoreHandler<T>>();
  readonly #ownWrites: OwnWrites;
  #handlerErrors = 0;
  /** Told of each error a handler or an index function throws; the reflector sets it to count and log them. */
  onHandlerError: ((error: unknown) => void) | undefined;

  /** What is kept of an object. */
  readonly keep: (object: T) => T;

  constructor(indexers: Indexers<T> = {}, options: StoreOptions<T> = {}) {
    const { keep = (object) => object, now = () => performance.now() } = options;
    this.keep = keep;
    this.#indexes = new IndexSet(indexers, (error) => this.#failed(error));
    this.#ownWrites = new OwnWrites(now);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Errors thrown by handlers and index functions so far. */
  get handlerErrors(): number {
    return this.#handlerErrors;
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(namespace ? `${namespace}/${name}` : name);
  }

  getByKey(key: string): T | undefined {
    return this.#objects.get(key);
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  keys(): string[] {
    return [...this.#objects.keys()];
  }

  /** Objects whose index function names `value`. Throws TypeError for an index the store was not built with. */
  byIndex(index: string, value: string): T[] {
    return this.#indexes.keys(index, value).flatMap((key) => this.#objects.get(key) ?? []);
  }

  /**
   * Calls `handler` for every change from now on, in order, after the store holds it. An error thrown by one handler is
   * counted and reaches neither the other handlers nor the watch. Returns how to stop.
   */
  subscribe(handler: StoreHandler<T>): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  /**
   * Puts the API server's answer to one's own write into the store. Not for answers of dry runs, which name a resource
   * version but were never stored.
   *
   * Why this is safe although resource versions are opaque: they are only ever compared for equality. A watch delivers
   * every stored change of an object, in order, each exactly once, and a write's answer carries the version of exactly
   * one of those changes. So either that version has already come by (the store is as new or newer: the answer is
   * dropped) or it is still to come, and then every event of this object before it is older than the answer and is
   * skipped. When it comes, the watch is in charge again. Should it not come within a minute (the answer was processed
   * only after a list that already held a later state), the entry loses its protection and `hasUnconfirmed` makes the
   * reflector list again: no wrong assumption can freeze an entry.
   *
   * Writes to one object must be made one after the other (a work queue gives that): of two concurrent answers, which
   * is newer cannot be told, and the store may show either until the watch brings both.
   */
  applyLocal(object: T): void {
    const key = keyOf(object);
    const current = this.#objects.get(key);
    const { uid, resourceVersion } = object.metadata;
    if (!resourceVersion || current?.metadata.resourceVersion === resourceVersion) return;
    if (this.#ownWrites.expect(key, { uid, resourceVersion })) this.#put(key, object);
  }

  /** For the reflector: an own write has waited too long for its event, so only a list tells the truth. */
  hasUnconfirmed(): boolean {
    return this.#ownWrites.hasOverdue();
  }

  /** For the reflector: an ADDED or MODIFIED event of the watch. */
  applyWatch(object: T): void {
    const key = keyOf(object);
    if (this.#ownWrites.accepts(key, object.metadata)) this.#put(key, object);
  }

  /** For the reflector: a DELETED event of the watch (the object is gone, or left the selector). */
  deleteWatch(object: T): void {
    const key = keyOf(object);
    const current = this.#objects.get(key);
    // An own create that the watch has not shown yet has a new uid: the end of its predecessor is not its end.
    if (this.#ownWrites.isPending(key) && current?.metadata.uid !== object.metadata.uid) return;
    this.#ownWrites.deleted(key, object.metadata);
    this.#remove(key);
  }

  /**
   * For the reflector: makes the store equal to a complete list; what is missing from it becomes `deleted` events.
   * Own writes made before the list began are contained in it. One made while it was read may be or not: the list wins,
   * and the watch that follows brings the write if it is the newer.
   */
  replace(items: readonly T[]): void {
    const listed = new Map(items.map((item) => [keyOf(item), item]));
    for (const key of this.keys()) {
      if (!listed.has(key)) this.#remove(key);
    }
    this.#ownWrites.forgetPending();
    for (const [key, item] of listed) {
      this.#ownWrites.seen(key, item.metadata);
      this.#put(key, item);
    }
  }

  #put(key: string, whole: T): void {
    const old = this.#objects.get(key);
    const version = whole.metadata.resourceVersion;
    if (old && version !== undefined && old.metadata.resourceVersion === version) return;
    const object = this.keep(whole);
    this.#objects.set(key, object);
    this.#indexes.update(key, object);
    this.#emit(old ? { type: 'modified', object, old } : { type: 'added', object });
  }

  #remove(key: string): void {
    const old = this.#objects.get(key);
    if (!old) return;
    this.#objects.delete(key);
    this.#indexes.remove(key);
    this.#emit({ type: 'deleted', object: old, old });
  }

  #emit(event: StoreEvent<T>): void {
    for (const handler of this.#handlers) {
      try {
        const result: unknown = handler(event);
        if (result instanceof Promise) result.catch((error: unknown) => this.#failed(error));
      } catch (error) {
        this.#failed(error);
      }
    }
  }

  #failed(error: unknown): void {
    this.#handlerErrors++;
    this.onHandlerError?.(error);
  }
}
