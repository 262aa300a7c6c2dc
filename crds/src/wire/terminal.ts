// SPDX-License-Identifier: Apache-2.0

/**
 * Frames of the terminal WebSocket. Version 2 (sub-protocol `agenttier.pty.v2`) sends bytes of the terminal in binary
 * messages and the control frames below as text. Version 1, without a sub-protocol, sends everything as JSON text.
 */
export const PTY_PROTOCOL_V2 = 'agenttier.pty.v2';
/** Name of version 1 for browsers, which have to offer a protocol beside the one that carries their credential. */
export const PTY_PROTOCOL_V1 = 'agenttier.pty.v1';
/** Sub-protocols that carry a credential: `ticket.<ticket>`, and `bearer.<token in base64url>`. */
export const TICKET_PROTOCOL = 'ticket.';
export const BEARER_PROTOCOL = 'bearer.';

export const DEFAULT_SESSION = 'main';
/** Size of a terminal until its first resize. */
export const DEFAULT_SIZE: TerminalSize = { cols: 120, rows: 40 };
/** struct winsize has 16 bits for each. */
const MAX_CELLS = 65_535;

export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

export type ResizeFrame = { readonly type: 'resize' } & TerminalSize;
/** Carries the credential on before it ends: a new ticket for the same sandbox and person. Answered by `auth-renewed`. */
export type AuthFrame = { readonly type: 'auth'; readonly ticket: string };
export type PingFrame = { readonly type: 'ping' };
export type PongFrame = { readonly type: 'pong'; readonly ts?: number };
export type HeartbeatFrame = { readonly type: 'heartbeat'; readonly ts: number };
export type ErrorFrame = { readonly type: 'error'; readonly message: string };
/** Something that the person should know and that is no output: NOTICES, or a kind that a newer server has. */
export interface NoticeFrame {
  readonly type: 'notice';
  readonly kind: string;
  readonly message?: string;
  /** When what is announced happens, RFC 3339. */
  readonly deadline?: string;
}
/** First frame of version 2. `offset` is the position of the next output byte; `reset` says that earlier output is gone. */
export type ReadyFrame = {
  readonly type: 'ready';
  readonly session: string;
  readonly offset: number;
  readonly reset: boolean;
} & TerminalSize;
/** Another client has changed the size of the terminal. */
export type SizeFrame = { readonly type: 'size' } & TerminalSize;
/** Somebody who is attached to the session. */
export interface Person {
  readonly name: string;
  readonly mode: 'control' | 'view';
}
/** Everybody who is attached, after somebody came or left. */
export type PresenceFrame = { readonly type: 'presence'; readonly people: readonly Person[] };
/** The credential that opened the terminal ends then (RFC 3339), and the terminal with it unless an `auth` frame comes. */
export type AuthExpiringFrame = { readonly type: 'auth-expiring'; readonly expiresAt: string };
/** The terminal goes on; until then, or for good. */
export type AuthRenewedFrame = { readonly type: 'auth-renewed'; readonly expiresAt?: string };
/** The program ended; the socket is closed with 1000 right after. */
export type ExitFrame = { readonly type: 'exit'; readonly code: number; readonly signal?: string };

export type ClientControl = ResizeFrame | PingFrame | AuthFrame;
export type ServerControl =
  | ReadyFrame
  | SizeFrame
  | PresenceFrame
  | AuthExpiringFrame
  | AuthRenewedFrame
  | CloseFrame
  | PongFrame
  | HeartbeatFrame
  | ExitFrame
  | ErrorFrame
  | NoticeFrame;

export type InputFrame = { readonly type: 'input'; readonly data: string };
export type OutputFrame = { readonly type: 'output'; readonly stream: 'stdout'; readonly data: string };
export type CloseReason =
  | 'sandbox_stopped'
  | 'sandbox_deleted'
  | 'idle_timeout'
  | 'session_expired'
  | 'access_revoked'
  | 'error';
export type CloseFrame = { readonly type: 'close'; readonly reason: CloseReason; readonly code: number };

export type ClientFrameV1 = InputFrame | ClientControl;
export type ServerFrameV1 =
  | OutputFrame
  | PongFrame
  | HeartbeatFrame
  | ErrorFrame
  | CloseFrame
  | ExitFrame
  | NoticeFrame;

/** Kinds of notices. */
export const NOTICES = {
  /** The sandbox will be stopped at the deadline; the message says whether use prevents it. */
  idleWarning: 'idle_warning',
  /** It will not, since it was used. */
  idleWarningOver: 'idle_warning_over',
  /** The server goes away: connect anew at once. */
  draining: 'router_drain',
} as const;

/** WebSocket close codes of ours; clients do not reconnect after any of them. */
export const CLOSE_CODES: Readonly<Record<CloseReason, number>> = {
  sandbox_stopped: 4001,
  sandbox_deleted: 4001,
  idle_timeout: 4008,
  session_expired: 4003,
  access_revoked: 4003,
  error: 1011,
};

/** A text message of a version 2 client; undefined when it is none that we know, which is to be ignored. */
export function parseClientControl(text: string): ClientControl | undefined {
  const frame = parseObject(text);
  if (frame?.['type'] === 'ping') return { type: 'ping' };
  if (frame?.['type'] === 'auth' && typeof frame['ticket'] === 'string')
    return { type: 'auth', ticket: frame['ticket'] };
  return frame?.['type'] === 'resize'
    ? { type: 'resize', ...clampSize(frame['cols'], frame['rows']) }
    : undefined;
}

/** A message of a version 1 client. */
export function parseClientFrameV1(text: string): ClientFrameV1 | undefined {
  const frame = parseObject(text);
  if (frame?.['type'] === 'input' && typeof frame['data'] === 'string')
    return { type: 'input', data: frame['data'] };
  return parseClientControl(text);
}

/** A text message of a version 2 server. */
export function parseServerControl(text: string): ServerControl | undefined {
  const frame = parseObject(text);
  const type = frame?.['type'];
  if (frame === undefined || typeof type !== 'string') return undefined;
  return Object.hasOwn(SERVER_CONTROL, type) ? SERVER_CONTROL[type]?.(frame) : undefined;
}

/** A message of a version 1 server. */
export function parseServerFrameV1(text: string): ServerFrameV1 | undefined {
  const frame = parseObject(text);
  if (frame?.['type'] === 'output' && typeof frame['data'] === 'string') {
    return { type: 'output', stream: 'stdout', data: frame['data'] };
  }
  const control = parseServerControl(text);
  return control === undefined || isOfV2(control) ? undefined : control;
}

/** Text of any frame. */
export function encodeFrame(frame: ClientFrameV1 | ServerFrameV1 | ServerControl): string {
  return JSON.stringify(frame);
}

/** A size that a terminal can have, whatever was sent: 1 to 65535, and the default for what is no number. */
export function clampSize(cols: unknown, rows: unknown): TerminalSize {
  return { cols: clamp(cols, DEFAULT_SIZE.cols), rows: clamp(rows, DEFAULT_SIZE.rows) };
}

type OfV2 = ReadyFrame | SizeFrame | PresenceFrame | AuthExpiringFrame | AuthRenewedFrame;

const OF_V2: ReadonlySet<string> = new Set(['ready', 'size', 'presence', 'auth-expiring', 'auth-renewed']);

/** Frames that clients of version 1 do not know and are not sent. */
export const isOfV2 = <F extends { readonly type: string }>(frame: F): frame is Extract<F, OfV2> =>
  OF_V2.has(frame.type);

type Json = Readonly<Record<string, unknown>>;

const SERVER_CONTROL: Readonly<Record<string, (frame: Json) => ServerControl | undefined>> = {
  ready: (frame) => ({
    type: 'ready',
    session: typeof frame['session'] === 'string' ? frame['session'] : DEFAULT_SESSION,
    offset: number(frame['offset'], 0),
    reset: frame['reset'] === true,
    ...clampSize(frame['cols'], frame['rows']),
  }),
  size: (frame) => ({ type: 'size', ...clampSize(frame['cols'], frame['rows']) }),
  presence: (frame) =>
    Array.isArray(frame['people'])
      ? { type: 'presence', people: frame['people'].filter((one) => isObject(one)).map(personOf) }
      : undefined,
  'auth-expiring': (frame) =>
    typeof frame['expiresAt'] === 'string'
      ? { type: 'auth-expiring', expiresAt: frame['expiresAt'] }
      : undefined,
  'auth-renewed': (frame) => ({ type: 'auth-renewed', ...text('expiresAt', frame) }),
  close: (frame) =>
    isCloseReason(frame['reason'])
      ? {
          type: 'close',
          reason: frame['reason'],
          code: number(frame['code'], CLOSE_CODES[frame['reason']]),
        }
      : undefined,
  pong: (frame) => (typeof frame['ts'] === 'number' ? { type: 'pong', ts: frame['ts'] } : { type: 'pong' }),
  heartbeat: (frame) => ({ type: 'heartbeat', ts: number(frame['ts'], 0) }),
  exit: (frame) => ({
    type: 'exit',
    code: number(frame['code'], 0),
    ...(typeof frame['signal'] === 'string' ? { signal: frame['signal'] } : {}),
  }),
  notice: (frame) =>
    typeof frame['kind'] === 'string'
      ? { type: 'notice', kind: frame['kind'], ...text('message', frame), ...text('deadline', frame) }
      : undefined,
  error: (frame) =>
    typeof frame['message'] === 'string' ? { type: 'error', message: frame['message'] } : undefined,
};

const personOf = ({ name, mode }: Json): Person => ({
  name: typeof name === 'string' ? name : '',
  mode: mode === 'view' ? 'view' : 'control',
});

const text = <F extends string>(field: F, frame: Json): { readonly [K in F]?: string } =>
  (typeof frame[field] === 'string' ? { [field]: frame[field] } : {}) as { [K in F]?: string };

function clamp(value: unknown, fallback: number): number {
  if (typeof value !== 'number' || Number.isNaN(value)) return fallback;
  return Math.min(MAX_CELLS, Math.max(1, Math.trunc(value)));
}

function number(value: unknown, fallback: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : fallback;
}

function isCloseReason(value: unknown): value is CloseReason {
  return typeof value === 'string' && Object.hasOwn(CLOSE_CODES, value);
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseObject(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // Malformed frames are skipped: the peer may be newer than we are.
    return undefined;
  }
}
