// SPDX-License-Identifier: Apache-2.0
import type { RawData, WebSocket } from 'ws';
import { startHeartbeat } from '../heartbeat.ts';
import type { ControlFrame, LinkSink, PtyLink } from './link.ts';

/** A paste of any size goes on in pieces that a reader with a small message limit takes, too. */
const CHUNK = 16 * 1024;

export interface RuntimeLinkOptions {
  readonly pingMs: number;
  readonly onEcho: (seconds: number) => void;
}

/** Attachment over the runtime's own WebSocket (sub-protocol agenttier.pty.v2). The socket comes open and paused. */
export class RuntimeLink implements PtyLink {
  readonly transport = 'runtime';
  readonly #socket: WebSocket;
  readonly #options: RuntimeLinkOptions;
  #exited = false;
  #sink: LinkSink | undefined;

  constructor(socket: WebSocket, options: RuntimeLinkOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  start(sink: LinkSink): void {
    const socket = this.#socket;
    this.#sink = sink;
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary, sink));
    let fault = '';
    socket.on('error', (error) => {
      fault = error.message;
    });
    socket.once('close', (code) => {
      stop();
      sink.ended(this.#exited ? { clean: true } : { clean: false, why: fault || `closed with ${code}` });
    });
    // A pod whose node is gone sends no reset: only missing pongs tell.
    const stop = startHeartbeat(socket, { ...this.#options, isPaused: () => socket.isPaused });
    socket.resume();
  }

  write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += CHUNK) {
      this.#socket.send(bytes.subarray(at, at + CHUNK), { binary: true }, () => this.#sink?.drained());
    }
  }

  resize(cols: number, rows: number): void {
    this.#control({ type: 'resize', cols, rows });
  }

  ping(): void {
    this.#control({ type: 'ping' });
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  buffered(): number {
    return this.#socket.bufferedAmount;
  }

  close(): void {
    this.#socket.close(1000);
  }

  #control(frame: ControlFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }

  #receive(data: RawData, isBinary: boolean, sink: LinkSink): void {
    const bytes = data as Buffer; // binaryType is nodebuffer
    if (isBinary) {
      sink.output(bytes);
      return;
    }
    const frame = readControl(bytes.toString('utf8'));
    // The gateway has a heartbeat of its own towards the client.
    if (!frame || frame.type === 'heartbeat') return;
    if (frame.type === 'exit') this.#exited = true;
    sink.control(frame);
  }
}

function readControl(text: string): ControlFrame | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isFrame =
      typeof value === 'object' && value !== null && typeof (value as ControlFrame).type === 'string';
    return isFrame ? (value as ControlFrame) : undefined;
  } catch {
    return undefined;
  }
}
