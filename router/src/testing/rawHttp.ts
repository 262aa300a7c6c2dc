// SPDX-License-Identifier: Apache-2.0
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** All that came back over a connection until the server ended it. */
export interface RawAnswer {
  readonly text: string;
  /** Status codes, one for each answer; none when the connection was only cut. */
  readonly statuses: readonly number[];
}

/** Opens a connection to a router, for bytes that no client library would send. */
export function openRaw(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Sends bytes as they are, and reads until the server ends the connection: ask it to, or send what makes it. */
export async function sendRaw(url: string, bytes: string): Promise<RawAnswer> {
  const socket = await openRaw(url);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(Buffer.from(bytes, 'latin1'));
  await closed;
  const text = Buffer.concat(chunks).toString('latin1');
  return { text, statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => Number(code)) };
}
