// SPDX-License-Identifier: Apache-2.0
import type { WebSocket } from 'ws';

export interface HeartbeatOptions {
  readonly pingMs: number;
  /** While reading from the peer is held back, its pongs wait unread: silence means nothing then. */
  readonly isPaused: () => boolean;
  /** Called with every ping. */
  readonly onBeat?: () => void;
  /** Called with the time that a pong took. */
  readonly onEcho?: (seconds: number) => void;
}

/** A pong may take two intervals and a little: 70 s with the usual 30. */
export const pongWaitMs = (pingMs: number): number => 2 * pingMs + 10_000;

/** Is the peer to be given up? `heardAt` and `now` in ms of the same clock. */
export function isSilent(heardAt: number, now: number, pingMs: number): boolean {
  return now - heardAt > pongWaitMs(pingMs);
}

/** Pings a peer and cuts it when it has been silent for too long. Returns how to stop; stops by itself on close. */
export function startHeartbeat(socket: WebSocket, options: HeartbeatOptions): () => void {
  const { pingMs, isPaused, onBeat, onEcho } = options;
  let pingedAt: number | undefined;
  let heardAt = performance.now();
  const heard = (): void => {
    heardAt = performance.now();
  };
  const answered = (): void => {
    heard();
    // While reading is held back the pong waits with everything else.
    if (pingedAt !== undefined && !isPaused()) onEcho?.((performance.now() - pingedAt) / 1000);
    pingedAt = undefined;
  };
  socket.on('pong', answered);
  socket.on('message', heard);
  const timer = setInterval(() => {
    if (isPaused()) heard();
    if (isSilent(heardAt, performance.now(), pingMs)) {
      socket.terminate();
      return;
    }
    if (socket.readyState !== socket.OPEN) return;
    pingedAt = performance.now();
    socket.ping();
    onBeat?.();
  }, pingMs);
  const stop = (): void => {
    clearInterval(timer);
    socket.off('pong', answered);
    socket.off('message', heard);
  };
  socket.once('close', stop);
  return stop;
}
