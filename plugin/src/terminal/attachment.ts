// SPDX-License-Identifier: Apache-2.0
import type { WindowSize } from '../context/host.ts';

/** Where a session's output continues: `offset` counts bytes since the session began. */
export interface Ready {
  readonly offset: number;
  /** What was asked for is gone (or is another session): everything kept is sent again from `offset` on. */
  readonly reset: boolean;
}

/** How an attachment ended, other than by the shell's own end. `retry`: attaching again may well work. */
export interface Ending {
  readonly retry: boolean;
  readonly message: string;
}

/** What an attachment tells its session; `closed` comes once and last, also after `exited`. */
export interface AttachmentEvents {
  ready(ready: Ready): void;
  output(data: Uint8Array): void;
  exited(code: number): void;
  /** Something that the person should know and that is no output. */
  notice(message: string): void;
  closed(ending: Ending): void;
  /** Fewer bytes are waiting to be sent than before: see `pending`. */
  drained(): void;
}

/** One connection to a session in a sandbox. */
export interface Attachment {
  /** False when the connection is gone already and the bytes were not taken. */
  send(data: Uint8Array): boolean;
  resize(size: WindowSize): void;
  /** Bytes accepted by `send` that are not on their way yet. */
  pending(): number;
  pauseOutput(): void;
  resumeOutput(): void;
  close(): void;
}

export interface AttachPoint {
  /** Replay output from this byte on; absent means everything that is kept. */
  readonly since: number | undefined;
  readonly size: WindowSize | undefined;
}

/** Starts to connect and answers at once; everything else arrives as events. */
export type Attach = (point: AttachPoint, events: AttachmentEvents) => Attachment;
