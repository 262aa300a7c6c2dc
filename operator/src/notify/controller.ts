// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, WebhookSubscription } from '@agenttier/crds/generated/types';
import { FIELD_MANAGER_OPERATOR } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { runController } from '@agenttier/machinery/controller/controller';
import { WorkQueue } from '@agenttier/machinery/controller/workqueue';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { keyOf } from '@agenttier/machinery/reflector/store';
import type { StoreEvent } from '@agenttier/machinery/reflector/store';
import { systemClock } from '@agenttier/machinery/runtime/clock';
import type { Clock } from '@agenttier/machinery/runtime/clock';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { BY_UID } from '../caches.ts';
import type { Caches } from '../caches.ts';
import { Couriers } from './couriers.ts';
import type { DeliveryResult } from './courier.ts';
import { deliveryOf } from './delivery.ts';
import type { Delivery } from './delivery.ts';
import { isActive } from '@agenttier/crds/subscription/matching';
import { noticesAfter } from '@agenttier/crds/subscription/notices';
import { Outbox } from './outbox.ts';
import type { Post } from './post.ts';

export interface NotifyMetrics {
  delivered(result: DeliveryResult): void;
  /** Asked for when the metrics are read. */
  queueSize(read: () => number): void;
}

export interface NotifyOptions {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'create' | 'patch' | 'delete'>;
  readonly caches: Pick<Caches, 'sandboxes' | 'subscriptions'>;
  readonly installNamespace: string;
  readonly post: Post;
  readonly log: Logger;
  readonly metrics?: NotifyMetrics | undefined;
  readonly clock?: Clock | undefined;
}

const BACKOFF = { minBackoffMs: 50, maxBackoffMs: 10_000, jitter: 0.2 };
const WORKERS = 8;
const LOAD_RETRY_MS = 1_000;

/**
 * Takes the events that sandboxes carry in their status into the outbox, and delivers what is in there, until the signal
 * aborts. The order of writes is what makes it at least once: an event is in the outbox before it leaves the status, and
 * leaves the outbox after it was delivered. A key per event makes each of these steps safe to repeat.
 */
export async function notifySubscribers(options: NotifyOptions, signal: AbortSignal): Promise<void> {
  const { client, caches, log, installNamespace, clock = systemClock } = options;
  const outbox = new Outbox({ client, namespace: installNamespace, log, clock, signal });
  const couriers = new Couriers({
    ...options,
    subscriptions: caches.subscriptions,
    outbox,
    clock,
    count: (result) => options.metrics?.delivered(result),
    signal,
  });
  options.metrics?.queueSize(() => couriers.waiting);
  const queue = new WorkQueue(BACKOFF);
  let stopFeeding: (() => void) | undefined;
  try {
    const left = await loadUntilDone(outbox, { log, clock, signal });
    couriers.begin(left);
    stopFeeding = feed(caches, queue, couriers);
    const reconcile = (key: string): Promise<void> => take(key, { client, caches, outbox, couriers, signal });
    await runController({ name: 'notices', queue, workers: WORKERS, reconcile, log, signal });
  } finally {
    stopFeeding?.();
    couriers.stop();
  }
}

interface Waiting {
  readonly log: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

async function loadUntilDone(
  outbox: Outbox,
  { log, clock, signal }: Waiting,
): Promise<Map<string, Delivery[]>> {
  while (!signal.aborted) {
    try {
      return await outbox.load();
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error }, 'the outbox cannot be read; trying again');
      await clock.sleep(LOAD_RETRY_MS, signal).catch(() => undefined);
    }
  }
  return new Map();
}

function feed(caches: NotifyOptions['caches'], queue: WorkQueue, couriers: Couriers): () => void {
  const add = (sandbox: Sandbox): void => {
    if ((sandbox.status?.notices ?? []).length > 0) queue.add(keyOf(sandbox));
  };
  const stops = [
    caches.sandboxes.subscribe(({ type, object }) => {
      if (type !== 'deleted') add(object);
    }),
    caches.subscriptions.subscribe((event: StoreEvent<WebhookSubscription>) => couriers.follow(event)),
  ];
  for (const sandbox of caches.sandboxes.list()) add(sandbox);
  return () => {
    for (const stop of stops) stop();
  };
}

interface Taking {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly caches: NotifyOptions['caches'];
  readonly outbox: Outbox;
  readonly couriers: Couriers;
  readonly signal: AbortSignal;
}

/** Everything that one sandbox carries goes into the outbox, then out of its status, under the version that was read. */
async function take(key: string, { client, caches, outbox, couriers, signal }: Taking): Promise<void> {
  const sandbox = caches.sandboxes.getByKey(key);
  const notices = sandbox?.status?.notices ?? [];
  const last = notices.at(-1);
  if (sandbox === undefined || last === undefined) return;
  const bySubscription = new Map<string, Delivery[]>();
  for (const notice of notices) {
    for (const uid of notice.subscriptions) {
      const list = bySubscription.get(uid) ?? [];
      bySubscription.set(uid, [...list, deliveryOf(sandbox, notice)]);
    }
  }
  await Promise.all(
    [...bySubscription].map(async ([uid, deliveries]) => {
      const [subscription] = caches.subscriptions.byIndex(BY_UID, uid);
      // Gone or switched off since: nobody waits for it any more.
      if (subscription === undefined || !isActive(subscription)) return;
      const fresh = deliveries.filter(({ id }) => !couriers.knows(uid, id));
      if (fresh.length > 0) await outbox.append(uid, fresh);
      for (const delivery of fresh) couriers.deliver(subscription, delivery);
    }),
  );
  await clearNotices(sandbox, last.id, { client, caches, signal });
}

async function clearNotices(
  sandbox: Sandbox,
  lastId: number,
  { client, caches, signal }: Pick<Taking, 'client' | 'caches' | 'signal'>,
): Promise<void> {
  const { namespace, name = '', resourceVersion } = sandbox.metadata;
  const body = { metadata: { resourceVersion }, status: { notices: noticesAfter(sandbox, lastId) ?? null } };
  const options = { subresource: 'status', fieldManager: FIELD_MANAGER_OPERATOR, signal } as const;
  const stored = await client
    .patch<Sandbox & KubeObject>(SANDBOXES, { namespace, name }, { type: 'merge', body }, options)
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      return undefined;
    });
  if (stored !== undefined) caches.sandboxes.applyLocal(stored);
}
