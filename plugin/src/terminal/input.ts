// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import type { Attachment } from './attachment.ts';
import { splitAtDetach } from './detachKey.ts';

/** Bytes waiting for the network above which reading the keyboard stops, and below which it goes on. */
const HIGH_WATER = 1024 * 1024;
const LOW_WATER = 256 * 1024;
/** Typed while disconnected; more than anybody types blindly, less than a paste. */
const HELD_LIMIT = 64 * 1024;
/** One message per read of this size keeps a paste from becoming a frame that a peer refuses. */
const MESSAGE = 32 * 1024;
/** End of transmission: what a terminal sends for "no more input". */
const EOT = new Uint8Array([4]);

export interface InputOptions {
  readonly source: Readable;
  readonly interactive: boolean;
  readonly detachKey: number | undefined;
  readonly onDetach: () => void;
}

/** Moves typed bytes into whatever attachment there is; holds them back, in order, while there is none. */
export class TerminalInput {
  readonly #options: InputOptions;
  #target: Attachment | undefined;
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(options: InputOptions) {
    this.#options = options;
  }

  start(): () => void {
    const { source } = this.#options;
    source.on('data', this.#onData);
    source.on('end', this.#onEnd);
    source.resume();
    return () => {
      source.off('data', this.#onData);
      source.off('end', this.#onEnd);
      source.pause();
    };
  }

  /** Sends what was held back to a fresh attachment and everything typed from now on. */
  connect(target: Attachment): void {
    this.#target = target;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const data of held) this.#send(data);
    this.balance();
  }

  disconnect(): void {
    this.#target = undefined;
    this.balance();
  }

  /** Stops or restarts reading by how much still waits to be sent. */
  readonly balance = (): void => {
    const { source } = this.#options;
    const waiting = this.#target?.pending() ?? this.#heldBytes;
    const [high, low] = this.#target ? [HIGH_WATER, LOW_WATER] : [HELD_LIMIT, HELD_LIMIT];
    if (waiting > high) source.pause();
    else if (waiting <= low && source.isPaused()) source.resume();
  };

  readonly #onData = (chunk: Uint8Array | string): void => {
    const data = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    const { before, detach } = splitAtDetach(
      data,
      this.#options.interactive ? this.#options.detachKey : undefined,
    );
    if (before.length > 0) this.#send(before);
    if (detach) this.#options.onDetach();
    else this.balance();
  };

  /** A pipe that ends is Ctrl-D for the shell; a terminal that ends is a person who has gone. */
  readonly #onEnd = (): void => {
    if (this.#options.interactive) this.#options.onDetach();
    else this.#send(EOT);
  };

  #send(data: Uint8Array): void {
    let at = 0;
    while (at < data.length && this.#target?.send(data.subarray(at, at + MESSAGE)) === true) at += MESSAGE;
    if (at < data.length) this.#hold(data.subarray(at));
  }

  #hold(data: Uint8Array): void {
    this.#held.push(data);
    this.#heldBytes += data.length;
  }
}
