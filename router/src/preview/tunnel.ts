// SPDX-License-Identifier: Apache-2.0
import { STATUS_CODES } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { pipeline } from 'node:stream';
import type { Duplex } from 'node:stream';
import { refusals } from '../api/errors.ts';
import { PROXIED } from '../cluster/runtimeClient.ts';
import type { RuntimeClient, UpgradeRequest } from '../cluster/runtimeClient.ts';
import type { Target } from '../cluster/target.ts';
import { unreachable } from './askRuntime.ts';
import { toBrowser } from './headers.ts';
import type { Seen } from './headers.ts';

/** One end of a WebSocket. */
interface End {
  readonly socket: Duplex;
  /** What has come of it already. */
  readonly head: Buffer;
}

/** The program's. */
export interface Dialled extends End {
  readonly headers: IncomingHttpHeaders;
}

const GOODBYE_MS = 5_000;
const MAX_LISTENERS = 30;

/** Asks the program for a WebSocket. Throws an HttpError when there will be none. */
export async function dial(
  runtime: Pick<RuntimeClient, 'upgrade'>,
  target: Target,
  request: UpgradeRequest,
): Promise<Dialled> {
  const { status, headers, socket, head } = await runtime.upgrade(target, request).catch((error: unknown) => {
    throw unreachable(error);
  });
  if (socket) return { headers, socket, head };
  const who = headers[PROXIED] === undefined ? 'the sandbox' : 'the program in the sandbox';
  throw refusals.transportLost(`${who} answered ${status}, and opened no WebSocket`);
}

/** Joins a browser with the program until one of them ends; `used` is called for what the browser sends. */
export function join(near: End, far: Dialled, seen: Seen, used: () => void): void {
  const { headers, socket, head } = far;
  const client = near.socket;
  const lines = Object.entries(toBrowser(headers, seen)).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((each) => `${name}: ${each}`),
  );
  const status = `HTTP/1.1 101 ${STATUS_CODES[101]}`;
  client.write([status, 'connection: Upgrade', 'upgrade: websocket', ...lines, '', ''].join('\r\n'));
  if (head.length > 0) client.write(head);
  if (near.head.length > 0) socket.write(near.head);
  client.on('data', used);
  // Either pipeline listens to both of them, beside the server.
  client.setMaxListeners(MAX_LISTENERS);
  socket.setMaxListeners(MAX_LISTENERS);
  for (const [from, to] of [
    [client, socket],
    [socket, client],
  ] as const) {
    // What was said before a goodbye still arrives; whoever does not answer one is not waited for.
    pipeline(from, to, () => {});
    from.once('end', () => setTimeout(() => to.destroy(), GOODBYE_MS).unref());
  }
}
