// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

const CONNECT_MS = 5_000;

/** Connects to the first address that answers, in their order; undefined when none does. Never asks a name server. */
export async function dial(
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<Socket | undefined> {
  for (const host of addresses.slice(0, 4)) {
    const socket = connect({ host, port, noDelay: true });
    // Without a listener a late error of an abandoned attempt would end the process.
    socket.on('error', () => undefined);
    try {
      await once(socket, 'connect', { signal: AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]) });
      return socket;
    } catch {
      socket.destroy();
      if (signal.aborted) return undefined;
    }
  }
  return undefined;
}
