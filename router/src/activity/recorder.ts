// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { activityIntervalMs } from '@agenttier/crds/lifecycle/run';
import { FIELD_MANAGER_ROUTER } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import type { Store } from '@agenttier/machinery/reflector/store';
import { keyOf, splitKey } from '@agenttier/machinery/reflector/store';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { dueAt, isDirty, isSpent } from './marks.ts';
import type { Mark } from './marks.ts';

export interface RecorderOptions {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly sandboxes: Pick<Store<Sandbox>, 'getByKey'>;
  readonly log: Logger;
  readonly now?: () => number;
}

/** How often due marks are looked for; small against the interval, so that the first use is written soon. */
const SWEEP_MS = 1000;

/** Writes when sandboxes were last used into their status, so that idle ones can be told from busy ones. */
export class ActivityRecorder {
  readonly #options: RecorderOptions;
  readonly #now: () => number;
  readonly #marks = new Map<string, Mark & { readonly uid: string | undefined }>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** The sandbox was used just now. Cheap: called for every keystroke. */
  readonly touch = (sandbox: Sandbox): void => {
    const key = keyOf(sandbox);
    const { uid } = sandbox.metadata;
    const mark = this.#marks.get(key);
    this.#marks.set(key, { ...(mark?.uid === uid ? mark : {}), uid, usedAt: this.#now() });
    this.#timer ??= setInterval(() => void this.flush(), SWEEP_MS).unref();
  };

  /** Writes what is due, or with `all` everything that is not written yet. Never rejects. */
  flush(all = false): Promise<void> {
    // One round at a time: two writes of one mark could arrive in the wrong order.
    this.#writing = this.#writing.then(() => this.#round(all));
    return this.#writing;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #round(all: boolean): Promise<void> {
    const now = this.#now();
    const { sandboxes } = this.#options;
    const due = [...this.#marks].filter(
      ([key, mark]) =>
        isDirty(mark) && (all || dueAt(mark, activityIntervalMs(sandboxes.getByKey(key))) <= now),
    );
    await Promise.all(due.map(([key, mark]) => this.#write(key, mark, now)));
    for (const [key, mark] of this.#marks) if (isSpent(mark, now)) this.#marks.delete(key);
    if (this.#marks.size === 0) this.stop();
  }

  async #write(key: string, mark: Mark & { readonly uid: string | undefined }, now: number): Promise<void> {
    const settle = (): void => {
      const current = this.#marks.get(key);
      if (current?.uid === mark.uid)
        this.#marks.set(key, { ...mark, ...current, writtenAt: now, writtenUse: mark.usedAt });
    };
    const known = this.#options.sandboxes.getByKey(key);
    // Another replica may have seen a later use: time must not run backwards in the status.
    const recorded = Date.parse(known?.status?.lastActivityTimestamp ?? '');
    if (known?.metadata.uid !== mark.uid || recorded >= mark.usedAt) return settle();
    try {
      await this.#patch(key, mark.usedAt);
      settle();
    } catch (error) {
      if (isNotFound(error)) this.#marks.delete(key);
      else
        this.#options.log.warn(
          { err: error, sandbox: key },
          'activity could not be written; it is tried again',
        );
    }
  }

  async #patch(key: string, usedAt: number): Promise<void> {
    const { namespace, name } = splitKey(key);
    const lastActivityTimestamp = new Date(usedAt).toISOString();
    await this.#options.client.patch(
      SANDBOXES,
      { namespace, name },
      { type: 'merge', body: { status: { lastActivityTimestamp } } },
      { subresource: 'status', fieldManager: FIELD_MANAGER_ROUTER },
    );
  }
}
