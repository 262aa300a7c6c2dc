// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import type { ForwardedPort } from '@agenttier/crds/sandbox/ports';
import { PROXIED } from '../cluster/runtimeClient.ts';
import type { RuntimeAnswer, RuntimeClient } from '../cluster/runtimeClient.ts';
import type { Target } from '../cluster/target.ts';
import { protocolOf } from '../api/ports/forwarded.ts';
import { reach, refused } from './askRuntime.ts';
import { toSandbox } from './headers.ts';
import type { Seen } from './headers.ts';

const SCHEME = 'x-agenttier-scheme';

/** Path of the runtime that leads to a port; `target` is path and query as the program is to see them. */
export const proxyPath = ({ port }: ForwardedPort, target: string): string => `/proxy/${port}${target}`;

/** How the program calls itself. */
export const localOriginOf = (port: ForwardedPort): string =>
  `${protocolOf(port) === 'https' ? 'https' : 'http'}://localhost:${port.port}`;

/** The headers for the program, with what the runtime needs to know. */
export function headersFor(
  request: IncomingMessage,
  port: ForwardedPort,
  seen: Seen,
): Record<string, string> {
  const headers = toSandbox(request.headers, seen);
  return protocolOf(port) === 'https' ? { ...headers, [SCHEME]: 'https' } : headers;
}

export interface Forwarding {
  readonly request: IncomingMessage;
  readonly port: ForwardedPort;
  /** Path and query. */
  readonly target: string;
  readonly seen: Seen;
  readonly signal: AbortSignal;
}

/** Asks the program. Throws the 502 when it could not be asked; whatever it answers is an answer. */
export async function forward(
  runtime: Pick<RuntimeClient, 'request'>,
  pod: Target,
  { request, port, target, seen, signal }: Forwarding,
): Promise<RuntimeAnswer> {
  const answer = await reach(runtime, pod, {
    method: request.method ?? 'GET',
    path: proxyPath(port, target),
    headers: headersFor(request, port, seen),
    body: hasBody(request) ? request : undefined,
    signal,
  });
  if (answer.headers[PROXIED] === undefined) {
    throw refused(answer.status, await json(answer.stream).catch(() => undefined));
  }
  return answer;
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** The path and query of a request, in whichever form it was sent (RFC 9112, 3.2); undefined when there are none. */
export function targetOf(url: string | undefined): string | undefined {
  if (url?.startsWith('/')) return url;
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { pathname, search } = new URL(url);
  return pathname.startsWith('/') ? pathname + search : undefined;
}
