// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { activityIntervalMs } from '@agenttier/crds/lifecycle/run';
import { FIELD_MANAGER_WEBHOOK } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { Logger } from '@agenttier/machinery/telemetry/log';

export interface UseMarksOptions {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly log: Logger;
  readonly now?: () => number;
}

/** A write that takes longer is given up: the next entry makes another. */
const PATCH_MS = 5_000;
/** Beyond so many sandboxes the oldest marks are forgotten, which costs one write too many at most. */
const MAX_MARKS = 10_000;

/**
 * Writes down that a sandbox was entered past the router (kubectl exec, attach, port-forward, proxy), which nobody else
 * would notice. The verdict never waits for it, and its failure changes nothing about who may enter. What is sent over the
 * connection later is not seen here; the operator asks the runtime for that before it stops a sandbox.
 */
export class UseMarks {
  readonly #options: UseMarksOptions;
  readonly #written = new Map<string, number>();

  constructor(options: UseMarksOptions) {
    this.#options = options;
  }

  readonly mark = (sandbox: Sandbox): void => {
    const { uid } = sandbox.metadata;
    const now = (this.#options.now ?? Date.now)();
    if (uid === undefined || now - (this.#written.get(uid) ?? 0) < activityIntervalMs(sandbox)) return;
    this.#remember(uid, now);
    this.#write(sandbox, now).catch((error: unknown) => {
      this.#written.delete(uid);
      const { namespace, name } = sandbox.metadata;
      this.#options.log.warn({ err: error, namespace, sandbox: name }, 'a use could not be written down');
    });
  };

  #remember(uid: string, now: number): void {
    this.#written.delete(uid);
    this.#written.set(uid, now);
    const [oldest] = this.#written.keys();
    if (this.#written.size > MAX_MARKS && oldest !== undefined) this.#written.delete(oldest);
  }

  /** The uid keeps the mark from a sandbox that has taken the name meanwhile. */
  async #write({ metadata }: Sandbox, now: number): Promise<void> {
    const { namespace, name = '', uid } = metadata;
    const body = { metadata: { uid }, status: { lastActivityTimestamp: new Date(now).toISOString() } };
    const options = {
      subresource: 'status',
      fieldManager: FIELD_MANAGER_WEBHOOK,
      timeoutMs: PATCH_MS,
    } as const;
    await this.#options.client.patch(SANDBOXES, { namespace, name }, { type: 'merge', body }, options);
  }
}
