// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { demandOf } from '@agenttier/crds/governance/quota/demand';
import type { Reality } from '@agenttier/crds/governance/quota/recount';
import { Tally } from '@agenttier/crds/governance/quota/tally';
import { keyOf } from '@agenttier/machinery/reflector/store';
import type { Store } from '@agenttier/machinery/reflector/store';
import { BY_UID } from '../caches.ts';

/** A reservation of a sandbox that came and went between two counts is worth remembering so long. */
const GONE_MS = 120_000;

/** The sandboxes of the cache as sums that follow every change. */
export class SandboxCounts {
  readonly #store: Store<Sandbox>;
  readonly #now: () => number;
  readonly #tally = new Tally();
  /** Uids of sandboxes that were there, in the order in which they went. */
  readonly #gone = new Map<string, number>();

  constructor(store: Store<Sandbox>, now: () => number = () => performance.now()) {
    this.#store = store;
    this.#now = now;
  }

  /** Counts what is there and follows the store until the returned function is called. */
  follow(): () => void {
    for (const sandbox of this.#store.list()) this.#count(sandbox);
    return this.#store.subscribe(({ type, object, old }) => {
      if (type === 'deleted') this.#tally.set(keyOf(object), '', undefined);
      else this.#count(object);
      const before = old?.metadata.uid;
      if (before !== undefined && (type === 'deleted' || before !== object.metadata.uid)) this.#bury(before);
    });
  }

  /** Of a namespace, or of the cluster. Sums and generations are of one and the same moment. */
  reality(namespace: string | undefined): Reality {
    return {
      usage: this.#tally.usage(namespace),
      generationOf: (uid) => {
        const [sandbox] = this.#store.byIndex(BY_UID, uid);
        if (sandbox) return sandbox.metadata.generation ?? 1;
        return this.#gone.has(uid) ? Number.POSITIVE_INFINITY : undefined;
      },
    };
  }

  #count(sandbox: Sandbox): void {
    this.#tally.set(keyOf(sandbox), sandbox.metadata.namespace ?? '', demandOf(sandbox));
  }

  #bury(uid: string): void {
    const now = this.#now();
    for (const [old, at] of this.#gone) {
      if (now - at < GONE_MS) break;
      this.#gone.delete(old);
    }
    this.#gone.set(uid, now);
  }
}
