// SPDX-License-Identifier: Apache-2.0
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '@agenttier/machinery/runtime/clock';
import type { Environment } from '../config.ts';

export interface Streams {
  readonly in: Readable;
  readonly out: Writable;
  readonly err: Writable;
}

export interface WindowSize {
  readonly cols: number;
  readonly rows: number;
}

/** The person's terminal, as far as an interactive command must control it. */
export interface TerminalDevice {
  /** Input and output are both a terminal. */
  readonly interactive: boolean;
  size(): WindowSize | undefined;
  /** Raw: every key goes to the program, Ctrl-C included. */
  setRaw(raw: boolean): void;
  /** Calls back when the window changes (SIGWINCH); the result ends that. */
  onResize(callback: () => void): () => void;
  /** Runs at whatever end the process meets short of SIGKILL; the result cancels it. */
  onProcessEnd(callback: () => void): () => void;
}

/** Everything a command touches outside itself: handed in, so that tests hand in something else. */
export interface Host {
  readonly streams: Streams;
  readonly clock: Clock;
  readonly environment: Environment;
  readonly terminal: TerminalDevice;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}

/** Flags that every command knows. */
export interface GlobalFlags {
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly apiUrl?: string;
  readonly apiKey?: string;
  readonly token?: string;
}

/** Writes and waits until the stream has taken it, so that nothing is lost when the process ends next. */
export async function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  if (data.length === 0) return;
  await new Promise<void>((resolve, reject) => {
    stream.write(data, (error) => (error ? reject(error) : resolve()));
  });
}

/** Resolves when everything written before has been taken. */
export async function flushed(stream: Writable): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.write('', () => resolve());
  });
}
