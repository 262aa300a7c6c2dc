// SPDX-License-Identifier: Apache-2.0
import { pipeline, Transform } from 'node:stream';
import type { Readable } from 'node:stream';
import { parseInvokeEvent } from '@agenttier/crds/wire/agent';
import type { InvokeExit } from '@agenttier/crds/wire/agent';
import { ServerEventParser } from '@agenttier/crds/wire/serverEvents';

/** What went by of an invocation. */
export interface Passed {
  readonly invokeId: string | undefined;
  readonly bytes: { readonly stdout: number; readonly stderr: number };
  /** Absent when the connection ended before the invocation. */
  readonly exit: InvokeExit | undefined;
}

export interface RelayOptions {
  /** Once, with the first event, which says that it has begun. */
  readonly started?: (invokeId: string) => void;
  /** Once, when nothing more will pass. */
  readonly ended: (passed: Passed) => void;
}

/**
 * The events of a runtime as they come, byte for byte: it writes what clients read. Only what is counted is looked at. A
 * client that reads slowly makes the agent wait, and one that goes away ends the connection to the runtime.
 */
export function relay(events: Readable, options: RelayOptions): Readable {
  const watcher = new Watcher(options);
  const out = new Transform({
    transform: (chunk: Buffer, _encoding, taken) => {
      watcher.see(chunk);
      taken(null, chunk);
    },
  });
  pipeline(events, out, () => watcher.end());
  return out;
}

class Watcher {
  readonly #options: RelayOptions;
  readonly #parser = new ServerEventParser();
  readonly #decoder = new TextDecoder();
  readonly #bytes = { stdout: 0, stderr: 0 };
  #invokeId: string | undefined;
  #exit: InvokeExit | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  see(chunk: Buffer): void {
    for (const event of this.#parser.push(this.#decoder.decode(chunk, { stream: true }))) {
      const known = parseInvokeEvent(event);
      if (known?.event === 'start') this.#start(known.data.invokeId);
      else if (known?.event === 'exit') this.#exit = known.data;
      else if (known) this.#bytes[known.data.stream] += Buffer.byteLength(known.data.data) + 1;
    }
  }

  end(): void {
    this.#options.ended({
      invokeId: this.#invokeId ?? this.#exit?.invokeId,
      bytes: this.#bytes,
      exit: this.#exit,
    });
  }

  #start(invokeId: string): void {
    this.#invokeId = invokeId;
    this.#options.started?.(invokeId);
  }
}
