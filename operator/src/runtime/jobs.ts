// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import type { RuntimeAddress } from './address.ts';
import { askRuntime } from './client.ts';
import type { AskRuntime, RuntimeAnswer, RuntimeCall } from './client.ts';

/** A call that may take as long as a hook does. The runtime runs one id once, so asking again is safe. */
export interface Job {
  readonly id: string;
  readonly call: Omit<RuntimeCall, 'signal'>;
}

export interface RuntimeJobsOptions {
  /** Told once per job that came to an end; not for one that was given up. */
  readonly onEnd: (key: string, id: string, answer: RuntimeAnswer<unknown>) => void;
  readonly signal: AbortSignal;
  readonly ask?: AskRuntime;
  /** Milliseconds between two tries. */
  readonly pauseMs?: number;
}

const TRIES = 3;
const PAUSE_MS = 250;

/**
 * Calls to runtimes that a reconcile must not wait for. What came of one is told to the notes of the sandbox, where the
 * next plan finds it; a new leader asks again with the same id and gets the first run's result.
 */
export class RuntimeJobs {
  readonly #options: RuntimeJobsOptions;
  readonly #running = new Map<string, Map<string, AbortController>>();

  constructor(options: RuntimeJobsOptions) {
    this.#options = options;
  }

  /** Starts the job, unless it is under way. */
  start(key: string, job: Job, address: RuntimeAddress): void {
    const jobs = this.#running.get(key) ?? new Map<string, AbortController>();
    if (jobs.has(job.id)) return;
    const stop = new AbortController();
    this.#running.set(key, jobs.set(job.id, stop));
    void this.#run({ key, job, address, stop });
  }

  /** The sandbox is gone: nobody waits for its jobs. */
  forget(key: string): void {
    for (const stop of this.#running.get(key)?.values() ?? []) stop.abort();
    this.#running.delete(key);
  }

  async #run({ key, job, address, stop }: Run): Promise<void> {
    const signal = AbortSignal.any([this.#options.signal, stop.signal]);
    const answer = await this.#tries(job, address, signal);
    this.#running.get(key)?.delete(job.id);
    if (!signal.aborted) this.#options.onEnd(key, job.id, answer);
  }

  async #tries({ call }: Job, address: RuntimeAddress, signal: AbortSignal): Promise<RuntimeAnswer<unknown>> {
    const { ask = askRuntime, pauseMs = PAUSE_MS } = this.#options;
    for (let left = TRIES; ; left--) {
      const answer = await ask(address, { ...call, signal });
      const again = !answer.ok && (answer.cause === 'unreachable' || answer.cause === 'lost');
      if (!again || left <= 1 || signal.aborted) return answer;
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

interface Run {
  readonly key: string;
  readonly job: Job;
  readonly address: RuntimeAddress;
  readonly stop: AbortController;
}
