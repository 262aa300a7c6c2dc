// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Bounds the connections on which nothing is going on: no request has come yet, or the last one was answered. Beyond the
 * bound the one that has waited longest is ended, so that whoever opens thousands pushes out his own and not those that
 * come to ask. A cap on all connections would do the opposite: probes of the node would find the door shut.
 */
export function boundWaiting(server: Server, most: number, opened: 'connection' | 'secureConnection'): void {
  // In order of arrival.
  const waiting = new Set<Socket>();
  const wait = (socket: Socket): void => {
    if (socket.destroyed) return;
    waiting.add(socket);
    if (waiting.size <= most) return;
    const [oldest] = waiting;
    if (oldest) waiting.delete(oldest);
    oldest?.destroy();
  };
  server.on(opened, (socket: Socket) => {
    wait(socket);
    socket.once('close', () => waiting.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    waiting.delete(socket);
    response.once('finish', () => wait(socket));
  });
  server.on('upgrade', ({ socket }: IncomingMessage) => waiting.delete(socket));
}
