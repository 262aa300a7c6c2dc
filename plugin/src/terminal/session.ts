// SPDX-License-Identifier: Apache-2.0
import type { Host } from '../context/host.ts';
import type { Attach, Attachment, AttachmentEvents, Ending, Ready } from './attachment.ts';
import { reconnectDelay } from './backoff.ts';
import { TerminalInput } from './input.ts';
import type { ScreenModes } from './screenModes.ts';

/** How a terminal ended. A detached shell lives on. */
export type Outcome =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'detached' }
  | { readonly kind: 'lost'; readonly message: string };

export interface SessionOptions {
  readonly host: Host;
  readonly attach: Attach;
  readonly modes: ScreenModes;
  readonly detachKey: number | undefined;
  /** For how long to try again after the connection dropped, in milliseconds. */
  readonly reconnectMs: number;
}

/** Erases the screen before everything kept is shown again: what stood there is about to come twice. */
const CLEAR = '\u001b[0m\u001b[2J\u001b[H';

/**
 * One terminal over as many connections as it takes. It counts the bytes that it showed, and asks each new connection to
 * go on right there, so that a dropped connection neither loses nor repeats output. Notices are written between the
 * bytes of the output and do not count as any.
 */
export class TerminalSession {
  readonly #options: SessionOptions;
  readonly #input: TerminalInput;
  readonly #outcome = Promise.withResolvers<Outcome>();
  #current: Attachment | undefined;
  #shown: number | undefined;
  #skip = 0;
  #over = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { host, detachKey } = options;
    this.#input = new TerminalInput({
      source: host.streams.in,
      interactive: host.terminal.interactive,
      detachKey,
      onDetach: () => this.#finish({ kind: 'detached' }),
    });
  }

  /** Runs until the shell ends, the person detaches, or no connection is to be had any more. */
  async run(): Promise<Outcome> {
    const { host } = this.#options;
    const stopInput = this.#input.start();
    const stopResize = host.terminal.onResize(() => this.#resize());
    const onAbort = (): void => this.#finish({ kind: 'detached' });
    host.signal.addEventListener('abort', onAbort, { once: true });
    try {
      void this.#keepAttached();
      return await this.#outcome.promise;
    } finally {
      host.signal.removeEventListener('abort', onAbort);
      stopResize();
      stopInput();
      this.#current?.close();
    }
  }

  async #keepAttached(): Promise<void> {
    const { host, reconnectMs } = this.#options;
    let lastUp: number | undefined;
    for (let failures = 0; !this.#over; failures += 1) {
      const { ending, wasUp } = await this.#attachOnce();
      if (this.#over) return;
      const now = host.clock.monotonic();
      if (wasUp) {
        lastUp = now;
        failures = 0;
      }
      const again = ending.retry && lastUp !== undefined && now - lastUp < reconnectMs;
      if (!again) return this.#finish({ kind: 'lost', message: ending.message });
      await host.clock.sleep(reconnectDelay(failures, Math.random()), host.signal).catch(() => undefined);
    }
  }

  #attachOnce(): Promise<{ ending: Ending; wasUp: boolean }> {
    const { host, attach } = this.#options;
    return new Promise((resolve) => {
      let wasUp = false;
      const events: AttachmentEvents = {
        ready: (ready) => {
          wasUp = true;
          this.#onReady(ready);
          this.#input.connect(attachment);
        },
        output: (data) => this.#show(data),
        notice: (message) => this.#notice(message),
        exited: (code) => this.#finish({ kind: 'exited', code }),
        drained: this.#input.balance,
        closed: (ending) => {
          this.#current = undefined;
          this.#input.disconnect();
          resolve({ ending, wasUp });
        },
      };
      const attachment = attach({ since: this.#shown, size: host.terminal.size() }, events);
      this.#current = attachment;
    });
  }

  #onReady(ready: Ready): void {
    const again = this.#shown !== undefined;
    if (again && ready.reset) this.#options.host.streams.out.write(CLEAR);
    // A peer that starts earlier than asked repeats what was shown: those bytes are skipped.
    this.#skip = again && !ready.reset ? Math.max(0, (this.#shown ?? 0) - ready.offset) : 0;
    this.#shown = ready.offset;
    this.#resize();
  }

  #show(data: Uint8Array): void {
    this.#shown = (this.#shown ?? 0) + data.length;
    const skipped = Math.min(this.#skip, data.length);
    this.#skip -= skipped;
    const fresh = data.subarray(skipped);
    if (fresh.length === 0) return;
    const { host, modes } = this.#options;
    modes.observe(fresh);
    if (host.streams.out.write(fresh)) return;
    this.#current?.pauseOutput();
    host.streams.out.once('drain', () => this.#current?.resumeOutput());
  }

  /** A notice without words is for programs. */
  #notice(message: string): void {
    const { host, modes } = this.#options;
    if (message !== '') host.streams.out.write(modes.banner(message));
  }

  #resize(): void {
    const size = this.#options.host.terminal.size();
    if (size) this.#current?.resize(size);
  }

  #finish(outcome: Outcome): void {
    this.#over = true;
    this.#outcome.resolve(outcome);
  }
}
