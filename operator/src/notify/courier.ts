// SPDX-License-Identifier: Apache-2.0
import type { WebhookSubscription, WebhookSubscriptionStatus } from '@agenttier/crds/generated/types';
import { equalJson } from '@agenttier/crds/meta/canonical';
import { FIELD_MANAGER_OPERATOR } from '@agenttier/crds/meta/labels';
import { WEBHOOK_SUBSCRIPTIONS } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Store } from '@agenttier/machinery/reflector/store';
import type { Clock } from '@agenttier/machinery/runtime/clock';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { statusPatch } from '../sandbox/statusPatch.ts';
import { bodyOf } from './delivery.ts';
import type { Delivery } from './delivery.ts';
import { Lane } from './lane.ts';
import type { Attempt } from './lane.ts';
import type { Outbox } from './outbox.ts';
import type { Post } from './post.ts';
import { afterDrop, afterTry, freshStatus } from './record.ts';
import { signatureHeaders } from './signature.ts';
import { readSigningKey } from './signingKey.ts';

export type DeliveryResult = 'delivered' | 'failed' | 'expired' | 'crowded';

export interface CourierOptions {
  readonly client: Pick<KubeClient, 'get' | 'patch'>;
  readonly subscriptions: Store<WebhookSubscription>;
  readonly installNamespace: string;
  readonly outbox: Outbox;
  readonly post: Post;
  readonly log: Logger;
  readonly clock: Clock;
  readonly count: (result: DeliveryResult) => void;
  readonly signal: AbortSignal;
}

/** Between two writes of one status: a busy receiver must not become a busy API server. */
const STATUS_PAUSE_MS = 1_000;

/** Delivers the events of one subscription, and keeps its status. */
export class Courier {
  readonly #options: CourierOptions;
  readonly #lane: Lane;
  #subscription: WebhookSubscription;
  #status: WebhookSubscriptionStatus;
  #writing = false;
  #ended = false;

  constructor(subscription: WebhookSubscription, options: CourierOptions) {
    this.#options = options;
    this.#subscription = subscription;
    this.#status = freshStatus(subscription);
    this.#lane = new Lane({
      send: (delivery, signal) => this.#send(delivery, signal),
      tried: (delivery, attempt, result) => this.#tried(delivery, attempt, result),
      settled: (delivery, how) => this.#settled(delivery, how),
      clock: options.clock,
    });
    this.#writeStatus();
  }

  get waiting(): number {
    return this.#lane.size;
  }

  knows(id: string): boolean {
    return this.#lane.knows(id);
  }

  add(delivery: Delivery): void {
    this.#lane.add(delivery);
  }

  /** The subscription was edited: the next try goes by the new spec. */
  update(subscription: WebhookSubscription): void {
    this.#subscription = subscription;
    const { generation } = subscription.metadata;
    if (generation === undefined || this.#status.observedGeneration === generation) return;
    this.#status = { ...this.#status, observedGeneration: generation };
    this.#writeStatus();
  }

  stop(): void {
    this.#ended = true;
    this.#lane.stop();
  }

  async #send(delivery: Delivery, signal: AbortSignal): Promise<Attempt> {
    const { client, installNamespace, post, clock } = this.#options;
    const subscription = this.#subscription;
    const key = await readSigningKey(client, installNamespace, subscription, signal);
    const body = bodyOf(delivery);
    const timestamp = Math.floor(clock.now() / 1000);
    const headers = {
      'Content-Type': 'application/json',
      'User-Agent': 'AgentTier',
      ...signatureHeaders({ key, body, id: delivery.id, timestamp }),
    };
    const statusCode = await post({ url: subscription.spec.url, body, headers }, signal);
    const success = statusCode >= 200 && statusCode < 300;
    const redirect = statusCode >= 300 && statusCode < 400;
    return { success, statusCode, ...(redirect ? { error: 'redirects are not followed' } : {}) };
  }

  #tried(delivery: Delivery, attempt: number, result: Attempt): void {
    const { log, clock, count } = this.#options;
    if (!result.success) {
      count('failed');
      const { uid, name, namespace } = this.#subscription.metadata;
      const { statusCode: status, error } = result;
      const facts = { subscription: name, namespace, uid, delivery: delivery.id, attempt, status, error };
      log.info(facts, 'an event was not delivered');
    }
    this.#status = afterTry(this.#status, { delivery, attempt, result, now: clock.now() });
    if (this.#status.state === 'Disabled') this.#disable();
    this.#writeStatus();
  }

  #settled({ id }: Delivery, how: Exclude<DeliveryResult, 'failed'>): void {
    const { outbox, count } = this.#options;
    count(how);
    outbox.remove(this.#subscription.metadata.uid ?? '', id);
    if (how === 'delivered') return;
    this.#status = afterDrop(this.#status);
    this.#writeStatus();
  }

  /** What waits is not kept for a receiver that may never come back. */
  #disable(): void {
    const { outbox, log } = this.#options;
    const { uid = '', name, namespace } = this.#subscription.metadata;
    log.warn({ subscription: name, namespace, uid }, 'subscription switched off');
    this.#lane.stop();
    outbox.drop(uid).catch((error: unknown) => log.warn({ err: error, uid }, 'outbox not removed'));
  }

  /** One write at a time, with whatever the status has become by then. */
  #writeStatus(): void {
    if (this.#writing || this.#ended) return;
    this.#writing = true;
    void this.#writeUntilStored();
  }

  async #writeUntilStored(): Promise<void> {
    const { clock, signal, log } = this.#options;
    while (!this.#ended && !signal.aborted) {
      try {
        if (!(await this.#writeOnce())) break;
      } catch (error) {
        if (isNotFound(error)) break;
        if (!signal.aborted) log.warn({ err: error }, 'the status of a subscription is not stored yet');
      }
      await clock.sleep(STATUS_PAUSE_MS, signal).catch(() => undefined);
    }
    this.#writing = false;
  }

  /** Only the leader writes it, and one courier per subscription: the last state it knows is the right one. */
  async #writeOnce(): Promise<boolean> {
    const { client, subscriptions, signal } = this.#options;
    const { namespace, name = '', uid } = this.#subscription.metadata;
    const before = subscriptions.get(namespace, name)?.status ?? {};
    if (equalJson(before, this.#status)) return false;
    // The uid keeps it off a subscription that was made anew under this name.
    const body = { metadata: { uid }, status: statusPatch(before, this.#status) };
    const options = { subresource: 'status', fieldManager: FIELD_MANAGER_OPERATOR, signal } as const;
    const stored = await client.patch<WebhookSubscription & KubeObject>(
      WEBHOOK_SUBSCRIPTIONS,
      { namespace, name },
      { type: 'merge', body },
      options,
    );
    subscriptions.applyLocal(stored);
    return true;
  }
}
