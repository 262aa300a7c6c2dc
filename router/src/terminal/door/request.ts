// SPDX-License-Identifier: Apache-2.0
import { BEARER_PROTOCOL, DEFAULT_SESSION, TICKET_PROTOCOL } from '@agenttier/crds/wire/terminal';
import { refusals } from '../../api/errors.ts';
import type { PtyQuery } from '../../cluster/runtimeClient.ts';

/** What a terminal's URL asks for. */
export interface TerminalRequest {
  readonly id: string;
  readonly namespace?: string;
  readonly token?: string;
  readonly ticket?: string;
  readonly pty: PtyQuery;
}

const PATH = /^\/ws\/terminal\/([^/]+)\/?$/;
const SESSION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const OFFSET = /^\d{1,16}$/;
const SCREEN = /^(?:keep|strip)$/;
const MAX_SIDE = 65_535;

/** Credentials among the sub-protocols that a client offers: a browser can set no other header of a WebSocket. */
export function readOffer(header: string | undefined): {
  readonly ticket?: string;
  readonly bearer?: string;
} {
  const offered = (header ?? '').split(',').map((name) => name.trim());
  const after = (prefix: string): string | undefined =>
    offered.find((name) => name.startsWith(prefix))?.slice(prefix.length);
  const bearer = after(BEARER_PROTOCOL);
  return {
    ...optional('ticket', after(TICKET_PROTOCOL)),
    ...optional('bearer', bearer && Buffer.from(bearer, 'base64url').toString('utf8')),
  };
}

/** Queries may carry a credential: they never appear in a text. */
export const pathOnly = (url: string | undefined): string => (url ?? '/').split('?')[0] ?? '/';

/** Reads path and query of `/ws/terminal/{id}`; undefined when it is another path. Throws a 400 for a bad parameter. */
export function readTerminalRequest(target: string): TerminalRequest | undefined {
  const url = new URL(target, 'http://router');
  const id = PATH.exec(url.pathname)?.[1];
  if (id === undefined) return undefined;
  const query = url.searchParams;
  const namespace = query.get('namespace');
  const token = query.get('token');
  const ticket = query.get('ticket');
  return {
    id: decodeURIComponent(id),
    ...(namespace ? { namespace } : {}),
    ...(token ? { token } : {}),
    ...(ticket ? { ticket } : {}),
    pty: {
      session: matched(query, 'session', SESSION) ?? DEFAULT_SESSION,
      mode: readMode(query.get('mode')),
      ...optional('altscreen', matched(query, 'altscreen', SCREEN)),
      ...optional('since', matched(query, 'since', OFFSET)),
      ...optional('cols', readSide(query, 'cols')),
      ...optional('rows', readSide(query, 'rows')),
    },
  };
}

const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };

function matched(query: URLSearchParams, name: string, shape: RegExp): string | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (shape.test(text)) return text;
  throw refusals.badRequest(`${name} is not valid: it must match ${shape.source}`);
}

function readMode(text: string | null): 'control' | 'view' {
  if (text === null || text === '' || text === 'control') return 'control';
  if (text === 'view') return 'view';
  throw refusals.badRequest('mode must be control or view');
}

function readSide(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= MAX_SIDE) return value;
  throw refusals.badRequest(`${name} must be a whole number from 1 to ${MAX_SIDE}`);
}
