// SPDX-License-Identifier: Apache-2.0
import { PTY_PROTOCOL_V2 } from '@agenttier/crds/wire/terminal';
import { WebSocket } from 'ws';
import type { Target } from './rest.ts';

/** Which terminal, where: `base` is the address of the Service or of one replica. */
export interface TerminalPlace {
  readonly name: string;
  readonly session: string;
  readonly base?: string;
  readonly since?: number;
}

/** A terminal whose output comes as bytes. Not compressed: the client's part should be small. */
export function openExact(target: Target, place: TerminalPlace): WebSocket {
  const { name, session, base = target.url, since } = place;
  const url = new URL(`${base.replace(/^http/, 'ws')}/ws/terminal/${name}`);
  url.searchParams.set('namespace', target.namespace);
  url.searchParams.set('session', session);
  if (since !== undefined) url.searchParams.set('since', String(since));
  return new WebSocket(url, [PTY_PROTOCOL_V2], {
    headers: { 'X-API-Key': target.key },
    perMessageDeflate: false,
    handshakeTimeout: 20_000,
  });
}

/** Resolves with the position of the next byte, once the terminal is there. */
export function untilReady(socket: WebSocket): Promise<number> {
  return new Promise((resolve, reject) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) return;
      const frame = JSON.parse(data.toString()) as { type: string; offset?: number; message?: string };
      if (frame.type === 'ready') resolve(frame.offset ?? 0);
      if (frame.type === 'error') reject(new Error(frame.message));
    });
    socket.once('error', reject);
    socket.once('close', (code, reason) => reject(new Error(`closed with ${code} ${reason.toString()}`)));
  });
}
