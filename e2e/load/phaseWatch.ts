// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { KubeObject } from '@agenttier/machinery/kube/resource';

type Stored = Sandbox & KubeObject;
type Waiter = (seen: Seen) => void;

/** When an observer saw a sandbox Running, and which way it got there. */
export interface Seen {
  readonly at: number;
  readonly path: string;
}

/** Watches the sandboxes of a namespace: the moment at which a client that watches learns of a phase. */
export class PhaseWatch {
  readonly #seen = new Map<string, Seen>();
  readonly #waiting = new Map<string, Waiter>();
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #failure: unknown;

  constructor(client: KubeClient, namespace: string) {
    this.#done = this.#follow(client, namespace).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#failure = error;
    });
  }

  /** Resolves when the sandbox is Running; rejects after a minute. */
  running(name: string): Promise<Seen> {
    const seen = this.#seen.get(name);
    if (seen !== undefined) return Promise.resolve(seen);
    return new Promise((resolve, reject) => {
      const limit = setTimeout(
        () => reject(new Error(`${name} is not Running: ${String(this.#failure)}`)),
        60_000,
      );
      this.#waiting.set(name, (value) => {
        clearTimeout(limit);
        resolve(value);
      });
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #follow(client: KubeClient, namespace: string): Promise<void> {
    const { resourceVersion } = await client.list(SANDBOXES, { namespace });
    const query = { namespace, resourceVersion };
    for await (const event of client.watch<Stored>(SANDBOXES, query, { signal: this.#stop.signal })) {
      if (event.type === 'ADDED' || event.type === 'MODIFIED') this.#take(event.object);
    }
  }

  #take({ metadata, status }: Stored): void {
    const { name = '' } = metadata;
    if (status?.phase !== 'Running' || this.#seen.has(name)) return;
    const seen = { at: performance.now(), path: status.startup?.path ?? '' };
    this.#seen.set(name, seen);
    this.#waiting.get(name)?.(seen);
    this.#waiting.delete(name);
  }
}
