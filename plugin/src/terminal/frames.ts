// SPDX-License-Identifier: Apache-2.0

/** WebSocket sub-protocol: binary messages are terminal bytes, text messages are the control frames below. */
export const PTY_PROTOCOL = 'agenttier.pty.v2';

/** Control frames that a session sends. Kinds that say nothing to us (pong, heartbeat, ones to come) are `other`. */
export type ServerFrame =
  | { readonly type: 'ready'; readonly offset: number; readonly reset: boolean }
  | { readonly type: 'exit'; readonly code: number; readonly signal: string | undefined }
  | { readonly type: 'error'; readonly message: string }
  | { readonly type: 'close'; readonly reason: string }
  | { readonly type: 'other' };

/** Reads a control frame; anything malformed is `other`, since a terminal should survive a frame it does not know. */
export function parseServerFrame(text: string): ServerFrame {
  const frame = parseObject(text);
  switch (frame['type']) {
    case 'ready':
      return { type: 'ready', offset: numberOr(frame['offset'], 0), reset: frame['reset'] === true };
    case 'exit':
      return { type: 'exit', code: numberOr(frame['code'], 0), signal: textOf(frame['signal']) };
    case 'error':
      return { type: 'error', message: textOf(frame['message']) ?? 'the terminal failed' };
    case 'close':
      return { type: 'close', reason: textOf(frame['reason']) ?? 'closed' };
    default:
      return { type: 'other' };
  }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const numberOr = (value: unknown, fallback: number): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : fallback;

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
