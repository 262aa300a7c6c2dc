// SPDX-License-Identifier: Apache-2.0
import { parseInvokeEvent } from '@agenttier/crds/wire/agent';
import { changed } from '../../../cluster/awaitTarget.ts';
import type { Stores } from '../../../cluster/caches.ts';
import type { RuntimeAnswer } from '../../../cluster/runtimeClient.ts';
import { findTarget } from '../../../cluster/target.ts';
import type { OutEvent } from '../../../sse/eventStream.ts';
import { readEvents } from '../../../sse/readEvents.ts';
import { drop } from '../runtime.ts';
import type { AskRuntime } from '../runtime.ts';
import { progressOf } from './progress.ts';
import type { Begun, Progress } from './progress.ts';

export interface FollowOptions {
  readonly stores: Pick<Stores, 'sandboxes' | 'pods' | 'keys'>;
  readonly runtime: AskRuntime;
}

/** Whoever follows, until it goes away. */
export type Followed = Begun & { readonly signal: AbortSignal };

/** A look again though nothing was heard: a watch may have missed its moment. */
const LOOK_MS = 30_000;

/**
 * What happens to a configuration until it has ended. Runtime and operator own it: it goes on when nobody follows, and
 * whoever configures the same again follows it from its beginning.
 */
export async function* followInstallation(options: FollowOptions, begun: Followed): AsyncGenerator<OutEvent> {
  const log = new InstallLog(options, begun);
  const { namespace, name = '' } = begun.sandbox.metadata;
  const look = (): Progress => progressOf(begun, options.stores.sandboxes.get(namespace, name));
  while (!begun.signal.aborted) {
    const progress = look();
    if (progress.is === 'failed') {
      yield { event: 'error', data: progress.error };
      return;
    }
    if (progress.is === 'over') {
      const { result } = progress;
      if (!result.skipped && result.installCommandHash) yield* log.read(result.installCommandHash);
      yield { event: 'result', data: result };
      return;
    }
    if (progress.is === 'installing') yield* log.read();
    // Much may have happened while lines were read.
    if (look().is === progress.is) await changed(options.stores, LOOK_MS, begun.signal);
  }
}

/** The lines of installations as the runtime tells them, each once. */
class InstallLog {
  readonly #options: FollowOptions;
  readonly #followed: Followed;
  /** Ids of installations that were read to their end. */
  readonly #complete = new Set<string>();
  /** Of the last line that was given. */
  #last: { readonly install: string; readonly id: number } = { install: '', id: 0 };

  constructor(options: FollowOptions, followed: Followed) {
    this.#options = options;
    this.#followed = followed;
  }

  /** What is new of the present installation, if it is that one. A connection that breaks costs lines, nothing else. */
  async *read(wanted?: string): AsyncGenerator<OutEvent> {
    if (wanted !== undefined && this.#complete.has(wanted)) return;
    const answer = await this.#open().catch(() => undefined);
    if (answer === undefined) return;
    const id = String(answer.headers['x-agenttier-install'] ?? '');
    const isOther = wanted !== undefined && id !== wanted;
    if (answer.status === 200 && !isOther && !this.#complete.has(id)) yield* this.#lines(answer, id);
    else drop(answer);
  }

  async *#lines({ stream }: RuntimeAnswer, install: string): AsyncGenerator<OutEvent> {
    try {
      for await (const event of readEvents(stream)) {
        if (event.event === 'exit') this.#complete.add(install);
        const known = parseInvokeEvent(event);
        if (this.#isNew(install, Number(event.id)) && known?.event === 'log') yield known;
      }
    } catch (error) {
      if (this.#followed.signal.aborted) throw error;
    }
  }

  #isNew(install: string, id: number): boolean {
    if (this.#last.install === install && id <= this.#last.id) return false;
    this.#last = { install, id };
    return true;
  }

  async #open(): Promise<RuntimeAnswer | undefined> {
    const { stores, runtime } = this.#options;
    const { sandbox, signal } = this.#followed;
    const target = findTarget(stores, sandbox);
    return target && runtime.request(target, { method: 'GET', path: '/install/events', signal });
  }
}
