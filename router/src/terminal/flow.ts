// SPDX-License-Identifier: Apache-2.0

/**
 * Above HIGH bytes waiting for one peer, reading from the other stops; it goes on below LOW. The gap keeps a stream at
 * the limit from switching for every message. 1 MiB bounds what one terminal can hold in memory, 256 KiB is still more
 * than a screenful on its way, so the pipe does not run dry before reading resumes.
 */
export const HIGH_WATER = 1024 * 1024;
export const LOW_WATER = 256 * 1024;

export type FlowState = 'flowing' | 'paused';
export type FlowStep = 'pause' | 'resume' | 'none';

/** What to do with the source when `buffered` bytes wait for its peer. */
export function nextFlow(state: FlowState, buffered: number): FlowStep {
  if (state === 'flowing') return buffered > HIGH_WATER ? 'pause' : 'none';
  return buffered < LOW_WATER ? 'resume' : 'none';
}

/** A source that can be told to stop for a while. */
export interface Pausable {
  pause(): void;
  resume(): void;
}

/** Drives one direction: call `check` after each write to the peer and after each completed one. */
export class FlowGate {
  readonly #source: Pausable;
  readonly #buffered: () => number;
  #state: FlowState = 'flowing';

  constructor(source: Pausable, buffered: () => number) {
    this.#source = source;
    this.#buffered = buffered;
  }

  get paused(): boolean {
    return this.#state === 'paused';
  }

  readonly check = (): void => {
    const step = nextFlow(this.#state, this.#buffered());
    if (step === 'pause') {
      this.#state = 'paused';
      this.#source.pause();
    } else if (step === 'resume') {
      this.#state = 'flowing';
      this.#source.resume();
    }
  };
}
