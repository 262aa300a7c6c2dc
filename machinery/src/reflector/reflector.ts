// SPDX-License-Identifier: Apache-2.0
import type { KubeClient, WatchEvent } from '../kube/client.ts';
import { errorFromWatch, isExpired, isKubeError } from '../kube/errors.ts';
import type { KubeObject, Resource } from '../kube/resource.ts';
import { INITIAL_EVENTS_END } from '../kube/watch.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../telemetry/log.ts';
import { Backoff } from './backoff.ts';
import { keyOf } from './store.ts';
import type { Store } from './store.ts';

/** What a reflector counts; `telemetry/metrics.ts` has the Prometheus form. */
export interface ReflectorMetrics {
  /** The whole collection was read. */
  listed(reason: 'start' | 'expired' | 'unconfirmed', items: number): void;
  watchStarted(): void;
  event(type: WatchEvent['type']): void;
  failed(kind: 'watch' | 'handler' | 'unreadable' | 'transform'): void;
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly resource: Resource;
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly store: Store<T>;
  readonly log: Logger;
  /** Told of every failure; what it throws is ignored. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Makes what is stored from what is watched, where the store's own `keep` is not enough. Keeps metadata's name, namespace, uid and version. */
  readonly transform?: ((object: T) => T) | undefined;
  readonly metrics?: ReflectorMetrics | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
  /** Silence on the connection after which it is opened again; default 150 000. */
  readonly idleMs?: number | undefined;
  /** How long a watch must have lived for the next failure to be the first again; default 60 000. */
  readonly healthyMs?: number | undefined;
  /** Bounds of the delay between attempts; default 800 to 30 000. */
  readonly backoff?: { readonly minMs: number; readonly maxMs: number } | undefined;
}

type ListReason = 'start' | 'expired' | 'unconfirmed';

/** Thrown inside one connection to make the next one start with a list. */
class RelistNeeded extends Error {}

/**
 * Keeps a Store equal to a collection of the API server: lists it once, then watches from there, whatever the
 * connection does. Nothing that one object, one handler or one answer contains can end the loop; only `signal` does.
 */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #transform: (object: T) => T;
  readonly #backoff: Backoff;
  readonly #synced = Promise.withResolvers<void>();
  #hasSynced = false;
  /** Where the next watch continues; undefined means: list first. An opaque string, only ever handed back. */
  #version: string | undefined;
  #listReason: ListReason = 'start';
  /** `skip` after a start that came to nothing: the next list is paged, then streaming is tried again. */
  #streamLists: 'yes' | 'skip' | 'never' = 'yes';
  #lastFailure: string | undefined;
  /** An expired version is no fault, and only a list helps: it is made at once, but not over and over. */
  #mayRelistAtOnce = true;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#transform = options.transform ?? options.store.keep;
    const bounds = options.backoff ?? { minMs: 800, maxMs: 30_000 };
    this.#backoff = new Backoff({ ...bounds, random: this.#random });
    this.#synced.promise.catch(() => undefined);
    options.store.onHandlerError = (error) => this.#count('handler', error);
  }

  /** Resolves once the store holds the whole collection; rejects if `run` ends before that. */
  synced(): Promise<void> {
    return this.#synced.promise;
  }

  hasSynced(): boolean {
    return this.#hasSynced;
  }

  /** Runs until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedAt = this.#clock.monotonic();
      const failure = await this.#connection(signal).then(
        () => undefined,
        (error: unknown) => error ?? new Error('unknown'),
      );
      if (signal.aborted) break;
      const healthy = this.#clock.monotonic() - startedAt >= (this.#options.healthyMs ?? 60_000);
      await this.#clock.sleep(this.#delayAfter(failure, healthy), signal).catch(() => undefined);
    }
    this.#synced.reject(
      new Error(`the ${this.#options.resource.plural} reflector was stopped before it was synced`),
    );
  }

  /** One connection: from a list or the last version to its end. Resolves when the server ends it in good order. */
  async #connection(signal: AbortSignal): Promise<void> {
    if (this.#version === undefined && this.#streamLists === 'yes') return this.#streamList(signal);
    if (this.#version === undefined) await this.#pagedList(signal);
    const events = this.#watch({ resourceVersion: this.#version }, signal);
    for await (const event of events) this.#take(event);
  }

  async #pagedList(signal: AbortSignal): Promise<void> {
    const { client, resource } = this.#options;
    const list = await client.list<T>(resource, this.#selection(), { signal, timeoutMs: 120_000 });
    if (this.#streamLists === 'skip') this.#streamLists = 'yes';
    this.#replace(list.items, list.resourceVersion);
  }

  /** KEP-3157: the present state as events, then a marked bookmark, then changes, all on one connection. */
  async #streamList(signal: AbortSignal): Promise<void> {
    const initial = new Map<string, T>();
    let complete = false;
    this.#streamLists = 'skip';
    for await (const event of this.#watch({ sendInitialEvents: true }, signal)) {
      if (complete) this.#take(event);
      else complete = this.#collect(event, initial);
    }
  }

  /** Gathers initial events aside, so that readers of the store never see a half list; true at its end. */
  #collect(event: WatchEvent<T>, initial: Map<string, T>): boolean {
    if (event.type === 'BOOKMARK') {
      if (event.object.metadata.annotations?.[INITIAL_EVENTS_END] !== 'true') return false;
      this.#streamLists = 'yes';
      this.#stored([...initial.values()], event.object.metadata.resourceVersion ?? '');
      return true;
    }
    if (event.type === 'ERROR') throw errorFromWatch(event.object);
    if (event.type === 'UNREADABLE') this.#count('unreadable', event.error);
    else if (event.type === 'DELETED') initial.delete(keyOf(event.object));
    // A collection is only read whole, but need not be held whole.
    else this.#transformed(event.object, (object) => initial.set(keyOf(object), object));
    return false;
  }

  #watch(
    query: { resourceVersion?: string | undefined; sendInitialEvents?: boolean },
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>> {
    const { client, resource, metrics, idleMs } = this.#options;
    // Spread over five minutes, so that the watches of a process do not end together.
    const timeoutSeconds = 300 + Math.floor(this.#random() * 300);
    metrics?.watchStarted();
    return client.watch<T>(resource, { ...this.#selection(), ...query, timeoutSeconds }, { signal, idleMs });
  }

  #take(event: WatchEvent<T>): void {
    const { store, metrics } = this.#options;
    metrics?.event(event.type);
    this.#recovered();
    if (event.type === 'ERROR') throw errorFromWatch(event.object);
    this.#mayRelistAtOnce = true;
    if (event.type === 'UNREADABLE') return this.#count('unreadable', event.error);
    if (event.type === 'DELETED') store.deleteWatch(event.object);
    else if (event.type !== 'BOOKMARK') this.#transformed(event.object, (object) => store.applyWatch(object));
    this.#version = event.object.metadata.resourceVersion || this.#version;
    if (store.hasUnconfirmed()) throw new RelistNeeded('an own write was never seen in the watch');
  }

  #replace(items: readonly T[], version: string): void {
    const stored: T[] = [];
    for (const item of items) this.#transformed(item, (object) => stored.push(object));
    this.#stored(stored, version);
  }

  #stored(items: readonly T[], version: string): void {
    const { store, metrics } = this.#options;
    store.replace(items);
    this.#version = version;
    metrics?.listed(this.#listReason, items.length);
    this.#recovered();
    this.#hasSynced = true;
    this.#synced.resolve();
  }

  #transformed(object: T, use: (object: T) => void): void {
    try {
      use(this.#transform(object));
    } catch (error) {
      this.#count('transform', error);
    }
  }

  /** Decides what the next connection starts with and how long to wait for it. */
  #delayAfter(failure: unknown, healthy: boolean): number {
    if (healthy) this.#backoff.reset();
    if (failure === undefined) return healthy ? 0 : this.#backoff.next();
    this.#report(failure);
    if (this.#listUnsupported(failure)) {
      this.#streamLists = 'never';
      return 0;
    }
    if (this.#needsList(failure)) return 0;
    const asked = isKubeError(failure) ? (failure.retryAfterMs ?? 0) : 0;
    return Math.max(asked, this.#backoff.next());
  }

  /** Whether the next connection is to begin with a list, and that at once. */
  #needsList(failure: unknown): boolean {
    const unconfirmed = failure instanceof RelistNeeded;
    if (!unconfirmed && !isExpired(failure)) return false;
    this.#version = undefined;
    this.#listReason = unconfirmed ? 'unconfirmed' : 'expired';
    const atOnce = this.#mayRelistAtOnce;
    this.#mayRelistAtOnce = false;
    return atOnce;
  }

  /** Servers without the WatchList feature refuse `sendInitialEvents` as invalid. */
  #listUnsupported(failure: unknown): boolean {
    const starting = this.#version === undefined && this.#streamLists === 'skip';
    return starting && isKubeError(failure) && (failure.status === 400 || failure.status === 422);
  }

  /** A cluster that is away fails every few seconds: only the first failure of a kind is worth a warning. */
  #report(failure: unknown): void {
    const { log, resource } = this.#options;
    const text = failure instanceof Error ? failure.message : String(failure);
    const level = text === this.#lastFailure ? 'debug' : 'warn';
    this.#lastFailure = text;
    log[level]({ err: failure, resource: resource.plural }, 'watch interrupted');
    this.#count('watch', failure, false);
  }

  #recovered(): void {
    if (this.#lastFailure === undefined) return;
    this.#lastFailure = undefined;
    this.#options.log.info({ resource: this.#options.resource.plural }, 'watch works again');
  }

  #count(kind: Parameters<ReflectorMetrics['failed']>[0], error: unknown, logIt = true): void {
    const { metrics, log, resource, onError } = this.#options;
    metrics?.failed(kind);
    if (logIt) log.error({ err: error, resource: resource.plural, kind }, 'event could not be handled');
    try {
      onError?.(error);
    } catch (secondary) {
      log.error({ err: secondary, resource: resource.plural }, 'the error handler failed');
    }
  }

  #selection(): { namespace?: string; labelSelector?: string; fieldSelector?: string } {
    const { namespace, labelSelector, fieldSelector } = this.#options;
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
  }
}
