// SPDX-License-Identifier: Apache-2.0
import type { WebhookSubscription } from '@agenttier/crds/generated/types';
import type { StoreEvent } from '@agenttier/machinery/reflector/store';
import { BY_UID } from '../caches.ts';
import { Courier } from './courier.ts';
import type { CourierOptions } from './courier.ts';
import type { Delivery } from './delivery.ts';
import { isActive } from '@agenttier/crds/subscription/matching';

/** One courier for each subscription that gets events. */
export class Couriers {
  readonly #options: CourierOptions;
  readonly #byUid = new Map<string, Courier>();

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** Events on their way, of all subscriptions. */
  get waiting(): number {
    return [...this.#byUid.values()].reduce((sum, courier) => sum + courier.waiting, 0);
  }

  knows(uid: string, id: string): boolean {
    return this.#byUid.get(uid)?.knows(id) ?? false;
  }

  /** Goes on with what a former leader left in the outbox. */
  begin(left: ReadonlyMap<string, readonly Delivery[]>): void {
    for (const subscription of this.#options.subscriptions.list()) this.#open(subscription);
    for (const [uid, deliveries] of left) {
      const [subscription] = this.#options.subscriptions.byIndex(BY_UID, uid);
      if (subscription === undefined || !isActive(subscription)) this.#drop(uid);
      else for (const delivery of deliveries) this.deliver(subscription, delivery);
    }
  }

  deliver(subscription: WebhookSubscription, delivery: Delivery): void {
    this.#open(subscription)?.add(delivery);
  }

  /** A subscription came, changed or went. */
  follow({ type, object }: StoreEvent<WebhookSubscription>): void {
    const uid = object.metadata.uid ?? '';
    if (type !== 'deleted' && isActive(object)) this.#open(object)?.update(object);
    else if (this.#byUid.has(uid)) {
      this.#byUid.get(uid)?.stop();
      this.#byUid.delete(uid);
      this.#drop(uid);
    }
  }

  stop(): void {
    for (const courier of this.#byUid.values()) courier.stop();
  }

  #open(subscription: WebhookSubscription): Courier | undefined {
    const { uid } = subscription.metadata;
    if (uid === undefined || !isActive(subscription)) return undefined;
    const known = this.#byUid.get(uid);
    if (known !== undefined) return known;
    const courier = new Courier(subscription, this.#options);
    this.#byUid.set(uid, courier);
    return courier;
  }

  #drop(uid: string): void {
    const { outbox, log, signal } = this.#options;
    outbox.drop(uid).catch((error: unknown) => {
      if (!signal.aborted) log.warn({ err: error, uid }, 'what waited for a subscription is not removed yet');
    });
  }
}
