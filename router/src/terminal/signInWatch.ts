// SPDX-License-Identifier: Apache-2.0
import { alarmAt } from './alarm.ts';

/** How long before the end a client is told, so that it can get another ticket without a gap. */
export const WARN_MS = 120_000;

/** Whom to tell what. */
export interface SignInSink {
  expiring(at: number): void;
  expired(): void;
}

/** Follows the end of what a terminal was opened with; another moment replaces the one before. */
export class SignInWatch {
  readonly #sink: SignInSink;
  #cancel: readonly (() => void)[] = [];

  constructor(sink: SignInSink) {
    this.#sink = sink;
  }

  /** `at` in milliseconds of the epoch; undefined = it never ends. */
  follow(at: number | undefined): void {
    this.stop();
    if (at === undefined) return;
    this.#cancel = [
      alarmAt(at - WARN_MS, () => this.#sink.expiring(at)),
      alarmAt(at, () => this.#sink.expired()),
    ];
  }

  stop(): void {
    for (const cancel of this.#cancel) cancel();
    this.#cancel = [];
  }
}
