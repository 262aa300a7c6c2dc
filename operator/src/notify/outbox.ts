// SPDX-License-Identifier: Apache-2.0
import { APP_NAME, FIELD_MANAGER_OPERATOR, LABEL_APP_NAME, LABEL_OUTBOX } from '@agenttier/crds/meta/labels';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isAlreadyExists, isNotFound } from '@agenttier/machinery/kube/errors';
import { CONFIG_MAPS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Clock } from '@agenttier/machinery/runtime/clock';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { Delivery } from './delivery.ts';
import { readDelivery } from './delivery.ts';

export interface OutboxOptions {
  readonly client: Pick<KubeClient, 'list' | 'create' | 'patch' | 'delete'>;
  readonly namespace: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface Ring extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

const nameOf = (subscription: string): string => `agenttier-outbox-${subscription}`;
const PAUSE_MS = 1_000;

/**
 * What subscriptions have not got yet, one ConfigMap for each in the install namespace: a key per event, so that adding the
 * same one twice, or taking it out twice, changes nothing, and a new leader reads what its forerunner had left to do. Writes
 * to one ConfigMap are gathered while one is under way.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #pages = new Map<string, Page>();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Everything that waits, by uid of the subscription, oldest first. */
  async load(): Promise<Map<string, Delivery[]>> {
    const { client, namespace, signal } = this.#options;
    const query = { namespace, labelSelector: LABEL_OUTBOX };
    const { items } = await client.list<Ring>(CONFIG_MAPS, query, { signal });
    const left = new Map(items.map((ring) => [ring.metadata.labels?.[LABEL_OUTBOX] ?? '', contentOf(ring)]));
    for (const subscription of left.keys()) this.#page(subscription);
    return left;
  }

  /** Resolves once they are stored. */
  append(subscription: string, deliveries: readonly Delivery[]): Promise<void> {
    const page = this.#page(subscription);
    return page.write(deliveries.map((delivery) => [delivery.id, JSON.stringify(delivery)] as const));
  }

  /** In the background, repeated until it is done: at worst a new leader delivers again what was delivered. */
  remove(subscription: string, id: string): void {
    void this.#removeUntilDone(subscription, id);
  }

  async #removeUntilDone(subscription: string, id: string): Promise<void> {
    const { log, clock, signal } = this.#options;
    while (!signal.aborted && this.#pages.has(subscription)) {
      try {
        return await this.#page(subscription).write([[id, null]]);
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error, subscription }, 'a delivered event stays in the outbox');
        await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
      }
    }
  }

  /** The subscription is gone or switched off. */
  async drop(subscription: string): Promise<void> {
    const { client, namespace, signal } = this.#options;
    this.#pages.delete(subscription);
    await client
      .delete(CONFIG_MAPS, { namespace, name: nameOf(subscription) }, { signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  }

  #page(subscription: string): Page {
    const known = this.#pages.get(subscription);
    if (known !== undefined) return known;
    const page = new Page((data) => this.#store(subscription, data));
    this.#pages.set(subscription, page);
    return page;
  }

  async #store(subscription: string, data: Readonly<Record<string, string | null>>): Promise<void> {
    const { client, namespace, signal } = this.#options;
    const options = { fieldManager: FIELD_MANAGER_OPERATOR, signal };
    const key = { namespace, name: nameOf(subscription) };
    const patch = (): Promise<unknown> =>
      client.patch(CONFIG_MAPS, key, { type: 'merge', body: { data } }, options);
    try {
      await patch();
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const kept = Object.fromEntries(Object.entries(data).filter(([, text]) => text !== null));
      if (Object.keys(kept).length === 0) return;
      const labels = { [LABEL_APP_NAME]: APP_NAME, [LABEL_OUTBOX]: subscription };
      const body = { metadata: { ...key, labels }, data: kept };
      await client.create(CONFIG_MAPS, namespace, body, options).catch((problem: unknown) => {
        if (!isAlreadyExists(problem)) throw problem;
        return patch();
      });
    }
  }
}

type Change = readonly [id: string, text: string | null];

/** Changes to one ConfigMap: one write at a time, with everything that was asked for meanwhile in the next. */
class Page {
  readonly #store: (data: Readonly<Record<string, string | null>>) => Promise<void>;
  #waiting = new Map<string, string | null>();
  #next: Promise<void> | undefined;
  #current: Promise<void> = Promise.resolve();

  constructor(store: (data: Readonly<Record<string, string | null>>) => Promise<void>) {
    this.#store = store;
  }

  write(changes: readonly Change[]): Promise<void> {
    for (const [id, text] of changes) this.#waiting.set(id, text);
    this.#next ??= this.#current.then(() => this.#flush());
    return this.#next;
  }

  #flush(): Promise<void> {
    const data = Object.fromEntries(this.#waiting);
    this.#waiting = new Map();
    this.#next = undefined;
    const stored = this.#store(data);
    this.#current = stored.catch(() => undefined);
    return stored;
  }
}

function contentOf({ data = {} }: Ring): Delivery[] {
  return Object.values(data)
    .map(readDelivery)
    .filter((delivery) => delivery !== undefined)
    .toSorted((a, b) => a.time.localeCompare(b.time) || a.id.localeCompare(b.id, 'en', { numeric: true }));
}
