// SPDX-License-Identifier: Apache-2.0
import { connect as open } from 'node:net';
import type { Socket } from 'node:net';
import { reasonOf } from '../runtime/clock.ts';

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  /** Milliseconds until the connection must stand. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Default: TCP. */
  readonly dial?: (host: string, port: number) => Socket;
}

/**
 * Linux repeats a lost SYN after a whole second (RFC 6298, 2.1), and the first packets to a fresh pod do get lost while the
 * rules of its network are being written. Within a cluster an answer takes less than a millisecond, so long before that
 * second is over another packet says more than waiting.
 */
const AGAIN_MS = 100;
/** After these the port is closed rather than late. */
const MAX_TRIES = 12;

/**
 * Connects to a pod. When nothing comes back it knocks again beside the first try, and takes what stands first. A refusal is
 * an answer, and rejects at once; silence to the end rejects with ETIMEDOUT. Nothing has been sent when it rejects.
 */
export function connectTo(options: ConnectOptions): Promise<Socket> {
  const { host, port, timeoutMs, signal, dial = defaultDial } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(reasonOf(signal));
    const tries: Socket[] = [];
    const end = (winner?: Socket): void => {
      clearTimeout(limit);
      clearInterval(again);
      signal?.removeEventListener('abort', abort);
      for (const each of tries) if (each !== winner) each.on('error', () => undefined).destroy();
    };
    const fail = (error: unknown): void => {
      end();
      reject(error);
    };
    const abort = (): void => fail(signal && reasonOf(signal));
    const knock = (): void => {
      if (tries.length === MAX_TRIES) return clearInterval(again);
      const socket = dial(host, port);
      tries.push(socket);
      socket.once('error', fail);
      socket.once('connect', () => {
        socket.off('error', fail);
        end(socket);
        resolve(socket);
      });
    };
    signal?.addEventListener('abort', abort, { once: true });
    const limit = setTimeout(() => fail(silence(host, port, timeoutMs)), timeoutMs);
    const again = setInterval(knock, AGAIN_MS);
    knock();
  });
}

/** Small messages go out at once: what we speak over it is requests and keystrokes. */
const defaultDial = (host: string, port: number): Socket =>
  open({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 });

/** As the system words it, so that whoever tells failures apart needs to know one kind. */
const silence = (address: string, port: number, ms: number): Error =>
  Object.assign(new Error(`connect ETIMEDOUT ${address}:${port}: nothing came back within ${ms} ms`), {
    code: 'ETIMEDOUT',
    syscall: 'connect',
    address,
    port,
  });
