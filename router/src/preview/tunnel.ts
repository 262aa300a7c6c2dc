// SPDX-License-Identifier: Apache-2.0
import { request as httpRequest, STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import type { Duplex } from 'node:stream';
import { refusals } from '../api/errors.ts';
import type { RuntimeAddress } from '../cluster/target.ts';
import { PROXIED } from './forward.ts';
import { toBrowser } from './headers.ts';
import type { Seen } from './headers.ts';

export interface Dial {
  readonly address: RuntimeAddress;
  readonly runtimePort: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** One end of a WebSocket. */
interface End {
  readonly socket: Duplex;
  /** What has come of it already. */
  readonly head: Buffer;
}

/** The program's. */
export interface Dialled extends End {
  readonly answer: IncomingMessage;
}

const CONNECT_MS = 10_000;
const GOODBYE_MS = 5_000;
const MAX_LISTENERS = 30;

/** Asks the program for a WebSocket. Throws an HttpError when there will be none. */
export function dial({ address, runtimePort, path, headers, signal }: Dial): Promise<Dialled> {
  const { podIP: host, token } = address;
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host,
      port: runtimePort,
      path,
      agent: false,
      signal,
      timeout: CONNECT_MS,
      headers: { ...headers, authorization: `Bearer ${token}`, connection: 'Upgrade', upgrade: 'websocket' },
    });
    request.once('timeout', () => request.destroy(new Error('no answer')));
    request.once('error', () =>
      reject(refusals.transportLost('the program in the sandbox cannot be reached')),
    );
    request.once('response', (answer) => {
      answer.destroy();
      const own = answer.headers[PROXIED] === undefined;
      const who = own ? 'the sandbox' : 'the program in the sandbox';
      reject(refusals.transportLost(`${who} answered ${answer.statusCode}, and opened no WebSocket`));
    });
    request.once('upgrade', (answer, socket, head) => {
      socket.setTimeout(0);
      resolve({ answer, socket, head });
    });
    request.end();
  });
}

/** Joins a browser with the program until one of them ends; `used` is called for what the browser sends. */
export function join(near: End, far: Dialled, seen: Seen, used: () => void): void {
  const { answer, socket, head } = far;
  const client = near.socket;
  const lines = Object.entries(toBrowser(answer.headers, seen)).flatMap(([name, value]) =>
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
