// SPDX-License-Identifier: Apache-2.0
import type { Sandbox, WebhookSubscription } from '@agenttier/crds/generated/types';
import { FIELD_MANAGER_ROUTER } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { MAX_WAITING, noticeFields } from '@agenttier/crds/subscription/notices';
import type { News } from '@agenttier/crds/subscription/notices';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isConflict, isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Store } from '@agenttier/machinery/reflector/store';
import { systemClock } from '@agenttier/machinery/runtime/clock';
import type { Clock } from '@agenttier/machinery/runtime/clock';
import type { Logger } from '@agenttier/machinery/telemetry/log';

export interface HeraldOptions {
  readonly client: Pick<KubeClient, 'get' | 'patch'>;
  readonly sandboxes: Store<Sandbox>;
  readonly subscriptions: Pick<Store<WebhookSubscription>, 'list'>;
  /** So many events could not be handed on. */
  readonly dropped: (count: number) => void;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Events that wait at most, of all sandboxes. */
  readonly most?: number;
}

interface Told {
  readonly news: News;
  readonly at: number;
}

/** Events of one sandbox on their way. */
interface Lane {
  readonly sandbox: Sandbox;
  waiting: Told[];
}

type StoredSandbox = Sandbox & KubeObject;

const MOST = 1_000;
/** The notifier takes events away within moments. */
const FULL_MS = 100;
const RETRY_MS = 1_000;

/**
 * Hands on to the notifier, which is the operator's, what this process alone sees happen: each event is put into the status
 * of its sandbox, where the operator puts its own. It is stored under the version that was read, so neither writer takes away
 * what the other has put there; it waits while there is no room, and is tried again until it is stored. An event has a key
 * of its own, so that one that is stored twice, after an answer that was lost, is the same one to the notifier and to
 * receivers. Whoever tells of something never waits, and where nobody has subscribed nothing is written.
 */
export class Herald {
  readonly #options: HeraldOptions;
  readonly #clock: Clock;
  readonly #lanes = new Map<string, Lane>();
  readonly #running = new Set<Promise<void>>();
  #count = 0;
  #ended = false;

  constructor(options: HeraldOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  readonly tell = (sandbox: Sandbox, news: News): void => {
    const told = { news, at: this.#clock.now() };
    if (withNews(sandbox, [told], this.#options.subscriptions.list()) === sandbox) return;
    if (this.#ended || this.#count >= (this.#options.most ?? MOST)) return this.#options.dropped(1);
    this.#count++;
    const { uid = '' } = sandbox.metadata;
    const lane = this.#lanes.get(uid);
    if (lane) lane.waiting.push(told);
    else this.#start(uid, { sandbox, waiting: [told] });
  };

  /** Takes nothing more; what waits is given up with the first try that fails. */
  async close(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#running);
  }

  #start(uid: string, lane: Lane): void {
    this.#lanes.set(uid, lane);
    const run = this.#run(uid, lane).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #run(uid: string, lane: Lane): Promise<void> {
    const { namespace, name = '' } = lane.sandbox.metadata;
    let current: Sandbox | undefined = this.#options.sandboxes.get(namespace, name) ?? lane.sandbox;
    // Gone, or another one by now: nobody is told of it any more.
    while (lane.waiting.length > 0 && current?.metadata.uid === uid) {
      if (!(await this.#try(lane, current))) {
        this.#options.dropped(lane.waiting.length);
        break;
      }
      if (lane.waiting.length > 0) current = await this.#read(current);
    }
    this.#lanes.delete(uid);
    this.#count -= lane.waiting.length;
  }

  /** Stores what there is room for; false when it is no use to go on. */
  async #try(lane: Lane, current: Sandbox): Promise<boolean> {
    try {
      const done = await this.#store(current, lane.waiting);
      this.#count -= lane.waiting.splice(0, done).length;
      if (done === 0) await this.#clock.sleep(FULL_MS);
      return true;
    } catch (error) {
      // The other write is read, and this one made on top of it.
      if (isConflict(error)) return true;
      const { namespace, name } = current.metadata;
      this.#options.log.warn({ err: error, namespace, sandbox: name }, 'an event is not handed on yet');
      if (this.#ended) return false;
      await this.#clock.sleep(RETRY_MS);
      return true;
    }
  }

  /** Resolves with how many of them are stored, or need not be. */
  async #store(current: Sandbox, waiting: readonly Told[]): Promise<number> {
    const { client, sandboxes, subscriptions } = this.#options;
    const notices = current.status?.notices ?? [];
    const batch = waiting.slice(0, Math.max(0, MAX_WAITING - notices.length));
    const known = new Set(notices.map(({ key }) => key));
    const fresh = batch.filter(({ news }) => news.key === undefined || !known.has(news.key));
    const next = withNews(current, fresh, subscriptions.list());
    if (next === current) return batch.length;
    const { namespace, name = '', resourceVersion } = current.metadata;
    const { noticeId, notices: stored } = next.status ?? {};
    const body = { metadata: { resourceVersion }, status: { noticeId, notices: stored } };
    const options = { subresource: 'status', fieldManager: FIELD_MANAGER_ROUTER, timeoutMs: 5_000 } as const;
    const patch = { type: 'merge', body } as const;
    sandboxes.applyLocal(await client.patch<StoredSandbox>(SANDBOXES, { namespace, name }, patch, options));
    return batch.length;
  }

  /** What is there now; undefined when nothing is. The same as before while nobody answers. */
  async #read(known: Sandbox): Promise<Sandbox | undefined> {
    const { namespace, name = '' } = known.metadata;
    try {
      const key = { namespace, name };
      return await this.#options.client.get<StoredSandbox>(SANDBOXES, key, { timeoutMs: 5_000 });
    } catch (error) {
      return isNotFound(error) ? undefined : known;
    }
  }
}

/** The sandbox that carries these, too; the same one when nobody is to hear of any. */
function withNews(
  sandbox: Sandbox,
  told: readonly Told[],
  subscriptions: readonly WebhookSubscription[],
): Sandbox {
  return told.reduce((before, { news, at }) => {
    const fields = noticeFields(before, [news], { subscriptions, now: at });
    return fields.notices === undefined ? before : { ...before, status: { ...before.status, ...fields } };
  }, sandbox);
}
