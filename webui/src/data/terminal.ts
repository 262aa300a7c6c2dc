// SPDX-License-Identifier: Apache-2.0
import { PTY_PROTOCOL_V2 } from '@agenttier/crds/wire/terminal';
import { placeOf } from './sandboxes.ts';
import type { SandboxKey } from './sandboxes.ts';
import type { Server } from './server.ts';

export interface TerminalPoint {
  readonly session: string;
  /** Position of the first byte that is wanted; absent = all that is kept. */
  readonly since?: number | undefined;
  readonly readonly: boolean;
  readonly cols: number;
  readonly rows: number;
}

export interface OpenedTerminal {
  readonly socket: WebSocket;
  /** The person only looks on: because that was asked for, or because no more is granted. */
  readonly watching: boolean;
}

/**
 * Opens the WebSocket of a terminal with a ticket, good for one and for a moment: tokens do not belong into URLs. Rejects
 * with ApiError when no ticket is to be had.
 */
export async function openTerminal(
  server: Server,
  key: SandboxKey,
  point: TerminalPoint,
): Promise<OpenedTerminal> {
  const { ticket, mode } = await server.api.createTerminalTicket({
    ...placeOf(key),
    body: { mode: point.readonly ? 'view' : 'control' },
  });
  const url = new URL(
    `${server.url.replace(/^http/, 'ws')}/ws/terminal/${encodeURIComponent(key.sandboxId)}`,
  );
  const query: Record<string, string | number | undefined> = {
    ticket,
    namespace: key.namespace,
    session: point.session,
    since: point.since,
    cols: point.cols,
    rows: point.rows,
    mode,
  };
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') url.searchParams.set(name, String(value));
  }
  const socket = new WebSocket(url, PTY_PROTOCOL_V2);
  socket.binaryType = 'arraybuffer';
  return { socket, watching: mode === 'view' };
}
