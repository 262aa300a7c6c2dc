// SPDX-License-Identifier: Apache-2.0

/** Control frames that reach the client; `ready` opens, `exit` ends. Others of the runtime are passed on unread. */
export interface ControlFrame {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** How a link ended: `true` after the shell's exit was told, else what broke. */
export type LinkEnd = { readonly clean: true } | { readonly clean: false; readonly why: string };

/** What a link delivers, in order. */
export interface LinkSink {
  output(bytes: Buffer): void;
  control(frame: ControlFrame): void;
  ended(end: LinkEnd): void;
  /** Some of what was written has left this process. */
  drained(): void;
}

/** One attachment to a PTY in a pod, whichever way leads there. */
export interface PtyLink {
  readonly transport: 'runtime' | 'exec';
  /** Nothing is delivered before this. */
  start(sink: LinkSink): void;
  write(bytes: Buffer): void;
  resize(cols: number, rows: number): void;
  ping(): void;
  pause(): void;
  resume(): void;
  /** Bytes written that are still here. */
  buffered(): number;
  /** Leaves; the session in the pod lives on where its transport allows that. */
  close(): void;
}
