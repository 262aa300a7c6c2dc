// SPDX-License-Identifier: Apache-2.0
import { LABEL_SLOT, LABEL_SLOT_NAME } from '@agenttier/crds/meta/labels';
import { runController } from '@agenttier/machinery/controller/controller';
import type { ReconcileResult } from '@agenttier/machinery/controller/controller';
import { WorkQueue } from '@agenttier/machinery/controller/workqueue';
import { isConflict, isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { keyOf, splitKey } from '@agenttier/machinery/reflector/store';
import type { Store, StoreEvent } from '@agenttier/machinery/reflector/store';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { BY_SLOT } from '../caches.ts';
import type { Caches } from '../caches.ts';
import type { Pod } from '../core.ts';
import { specMoved } from '../events.ts';
import { RuntimeProbe } from '../runtimeProbe.ts';
import type { RuntimeProbeOptions } from '../runtimeProbe.ts';
import { conditionOf } from '../sandbox/failure.ts';
import { RUNTIME_PORT } from '@agenttier/crds/sandbox/ports';
import type { Settings } from '../settings.ts';
import { gatherPool } from './gather.ts';
import { PoolMemory } from './memory.ts';
import { build, drain, eraseAccount, sweep, writePoolStatus } from './perform.ts';
import type { PoolContext } from './perform.ts';
import { planPool } from './plan.ts';
import { fitKey, isOpen } from './slots.ts';
import type { ClaimResult, Slots } from './slots.ts';
import type { PoolState } from './state.ts';

export interface PoolsOptions {
  readonly client: PoolContext['client'];
  readonly caches: Caches;
  readonly settings: Settings;
  readonly slots: Slots;
  readonly log: Logger;
  readonly onClaim?: ((pool: string, result: ClaimResult) => void) | undefined;
  readonly ask?: RuntimeProbeOptions['ask'];
  readonly now?: () => number;
}

/** Slots under construction in all pools together: more would starve starts that people wait for. */
const MAX_BUILDING = 16;
/** Refill waits for the starts that made it necessary: they come in bursts and want the same node. */
const REFILL_MS = 50;
/** The status is written no more often than this. */
const STATUS_MS = 200;

/** Keeps all pools filled until the signal aborts. */
export async function keepPools(options: PoolsOptions, signal: AbortSignal): Promise<void> {
  const keeper = new PoolKeeper(options, signal);
  const stop = keeper.feed();
  try {
    const reconcile = (key: string): Promise<ReconcileResult> => keeper.reconcile(key);
    const { queue } = keeper;
    await runController({ name: 'warmpool', queue, workers: 4, reconcile, log: options.log, signal });
  } finally {
    stop();
  }
}

export class PoolKeeper {
  readonly queue = new WorkQueue({ minBackoffMs: 100, maxBackoffMs: 60_000, jitter: 0.2 });
  readonly #options: PoolsOptions;
  readonly #signal: AbortSignal;
  readonly #memories = new Map<string, PoolMemory>();
  readonly #probe: RuntimeProbe;

  constructor(options: PoolsOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    const { slots, ask } = options;
    const onAnswer = (key: string, uid: string): void => this.#answered(key, uid);
    this.#probe = new RuntimeProbe({ port: RUNTIME_PORT, onAnswer, signal, ...(ask ? { ask } : {}) });
    slots.onClaim = (pool, result) => this.#counted(pool, result);
  }

  /** Follows the caches until the returned function is called. */
  feed(): () => void {
    const { caches } = this.#options;
    const parts = [caches.pvcs, caches.networkPolicies, caches.secrets] as unknown as Store<KubeObject>[];
    const stops = [
      caches.pods.subscribe((event) => this.#podMoved(event)),
      caches.pools.subscribe(({ object }) => this.queue.add(keyOf(object))),
      ...parts.map((store) => store.subscribe(({ object }) => this.#addPoolOf(object))),
      ...[caches.templates, caches.clusterTemplates, caches.policies, caches.clusterPolicies].map((store) =>
        (store as unknown as Store<KubeObject>).subscribe((event) => specMoved(event) && this.#addAll()),
      ),
    ];
    // Before the first sandbox is looked at, so that a change of leader costs nobody a warm start.
    for (const pool of caches.pools.list()) this.#keepFor(keyOf(pool));
    for (const pod of caches.pods.list()) this.#podMoved({ type: 'added', object: pod });
    for (const store of parts) for (const object of store.list()) this.#addPoolOf(object);
    this.#addAll();
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** The state of a pool; claims go by what it offers from now on. */
  #keepFor(key: string): PoolState {
    const { caches, settings, slots, now = Date.now } = this.#options;
    const { namespace = '', name } = splitKey(key);
    const input = { caches, settings, slots, memory: this.#memory(key), room: this.#room(), now: now() };
    const state = gatherPool(namespace, name, input);
    slots.keep(key, state.offer.ok && state.pool ? fitKey(namespace, state.offer.fit) : undefined);
    return state;
  }

  async reconcile(key: string): Promise<ReconcileResult> {
    const { now = Date.now } = this.#options;
    const { namespace = '', name } = splitKey(key);
    const memory = this.#memory(key);
    const state = this.#keepFor(key);
    this.#followBuilds(state);
    const plan = planPool(state, now());
    const context: PoolContext = {
      ...this.#options,
      memory,
      namespace,
      pool: name,
      now,
      signal: this.#signal,
    };
    const { offer } = state;
    const builds = offer.ok ? Array.from({ length: plan.build }, () => build(offer, context)) : [];
    const results = await Promise.allSettled([
      ...builds,
      ...plan.drain.map((pod) => drain(pod, context)),
      ...plan.sweep.map((slot) => sweep(slot, context)),
      this.#forgetPool(state, context),
    ]);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const wait = await this.#report(key, context);
    const dues = [plan.requeueAfterMs, wait].filter((due) => due !== undefined);
    return dues.length === 0 ? undefined : { requeueAfterMs: Math.min(...dues) };
  }

  #room(): number {
    const { caches, slots } = this.#options;
    const building = caches.pods
      .list()
      .filter((pod) => pod.metadata.labels?.[LABEL_SLOT] !== undefined && isOpen(pod) && !slots.isReady(pod));
    const inFlight = [...this.#memories.values()].reduce((sum, memory) => sum + memory.inFlight.size, 0);
    return Math.max(0, MAX_BUILDING - building.length - inFlight);
  }

  /** Asks slots on their way up whether they are there, as a start does: the kubelet takes up to two seconds longer. */
  #followBuilds({ slots }: PoolState): void {
    for (const { pod, kind } of slots) {
      const { namespace, name, uid } = pod.metadata;
      const key = `${namespace}/${name}`;
      if (kind !== 'building') this.#probe.end(key);
      else if (uid && pod.status?.podIP) this.#probe.start(key, uid, pod.status.podIP);
    }
  }

  /** A pool that is gone: its account goes with its last pod, and what was remembered with that. */
  async #forgetPool({ pool }: PoolState, context: PoolContext): Promise<void> {
    const { caches, namespace } = context;
    const key = `${namespace}/${context.pool}`;
    if (pool !== undefined || caches.pods.byIndex(BY_SLOT, key).length > 0) return;
    await eraseAccount(context);
  }

  /** The status of what was just done, at most five times a second. Resolves to the milliseconds until it may be written. */
  async #report(key: string, context: PoolContext): Promise<number | undefined> {
    const { caches, slots, settings, now = Date.now } = this.#options;
    const { memory, namespace } = context;
    const time = now();
    const input = { caches, settings, slots, memory, room: 0, now: time };
    const state = gatherPool(namespace, context.pool, input);
    const { status } = planPool(state, time);
    if (state.pool === undefined || status === undefined) return undefined;
    const wait = memory.statusAt + STATUS_MS - time;
    if (wait > 0) return wait;
    const written = await writePoolStatus(state.pool, status, context).catch((error: unknown) => {
      if (!isNotFound(error) && !isConflict(error)) throw error;
      this.queue.addAfter(key, STATUS_MS);
      return false;
    });
    if (!written) return undefined;
    memory.stored(state.notes);
    memory.statusAt = time;
    return state.pool.spec.autoscale === undefined ? undefined : memory.demand.nextWindowMs(time);
  }

  #podMoved({ type, object, old }: StoreEvent<Pod>): void {
    const known = type === 'deleted' ? (old ?? object) : object;
    if (known.metadata.labels?.[LABEL_SLOT] === undefined) return;
    const { slots } = this.#options;
    if (type === 'deleted') {
      slots.forget(object.metadata.uid ?? '');
      this.#probe.end(keyOf(object));
    } else {
      slots.observe(object);
      if (isOpen(object) && hasCome(object, old)) this.#memory(poolKeyOf(object)).succeeded();
    }
    this.#addPoolOf(known);
  }

  #answered(key: string, uid: string): void {
    const { slots, caches } = this.#options;
    const pod = caches.pods.getByKey(key);
    if (pod?.metadata.uid !== uid) return;
    slots.answered(uid);
    slots.observe(pod);
    this.#memory(poolKeyOf(pod)).succeeded();
    this.#addPoolOf(pod);
  }

  #counted(pool: string, result: ClaimResult): void {
    const { onClaim, now = Date.now } = this.#options;
    onClaim?.(pool, result);
    if (result !== 'hit' && result !== 'miss') return;
    this.#memory(pool).count(result, now());
    this.queue.addAfter(pool, REFILL_MS);
  }

  #addPoolOf(object: KubeObject): void {
    const { labels = {} } = object.metadata;
    if (labels[LABEL_SLOT] === undefined || labels[LABEL_SLOT_NAME] === undefined) return;
    this.queue.addAfter(poolKeyOf(object), REFILL_MS);
  }

  #addAll(): void {
    for (const pool of this.#options.caches.pools.list()) this.queue.add(keyOf(pool));
  }

  #memory(key: string): PoolMemory {
    const memory = this.#memories.get(key) ?? new PoolMemory();
    this.#memories.set(key, memory);
    return memory;
  }
}

const poolKeyOf = ({ metadata }: KubeObject): string =>
  `${metadata.namespace}/${metadata.labels?.[LABEL_SLOT]}`;

const isReady = (pod: Pod | undefined): boolean =>
  pod !== undefined && conditionOf(pod, 'Ready')?.status === 'True';

/** Whether the kubelet reports this pod as ready for the first time. */
const hasCome = (pod: Pod, old: Pod | undefined): boolean => isReady(pod) && !isReady(old);
