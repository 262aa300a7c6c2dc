// SPDX-License-Identifier: Apache-2.0
import type { Caller } from '../identity/callers.ts';

/** Why a connection is not made, with the HTTP status of the answer. */
export const REFUSALS = {
  not_a_proxy_request: 400,
  bad_target: 400,
  https_without_connect: 400,
  credentials_missing: 407,
  unknown_caller: 403,
  address_literal: 403,
  domain_not_allowed: 403,
  address_closed: 403,
  server_name_missing: 403,
  server_name_mismatch: 403,
  not_tls: 403,
  hello_late: 403,
  no_longer_allowed: 403,
  too_many_connections: 429,
  name_not_found: 502,
  unreachable: 502,
} as const;

export type RefusalReason = keyof typeof REFUSALS;

export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface Refusal {
  readonly reason: RefusalReason;
  readonly target?: Target | undefined;
  readonly caller?: Caller | undefined;
  /** What else belongs into the log, such as the name that TLS asked for. */
  readonly detail?: string | undefined;
}

const TEXTS: Readonly<Record<RefusalReason, (place: string) => string>> = {
  not_a_proxy_request: () => 'this is a proxy: set HTTPS_PROXY and HTTP_PROXY, and ask for whole URLs',
  bad_target: () => 'the target is no host name with a port',
  https_without_connect: () => 'https:// goes through CONNECT',
  credentials_missing: () =>
    'use the proxy as HTTPS_PROXY of the sandbox names it, with the name and password in it',
  unknown_caller: () => 'no running sandbox speaks from this address with this name',
  address_literal: () =>
    'addresses are not opened by allowedDomains: use the name, or spec.network.egressRules of the Sandbox',
  domain_not_allowed: (place) =>
    `${place} is not among spec.network.allowedDomains of the Sandbox: add it there, or to its template`,
  address_closed: (place) =>
    `${place} leads to a private address, and names are for the internet: use spec.network.egressRules of the Sandbox`,
  server_name_missing: (place) => `TLS to ${place} names no server`,
  server_name_mismatch: (place) => `TLS names another server than ${place}`,
  not_tls: (place) => `what is sent to ${place} is not TLS`,
  hello_late: (place) => `TLS to ${place} did not begin in time`,
  no_longer_allowed: (place) => `${place} was taken out of spec.network.allowedDomains`,
  too_many_connections: () => 'the sandbox has too many connections open',
  name_not_found: (place) => `${place} has no address`,
  unreachable: (place) => `${place} does not answer`,
};

/** For the person at the other end: what was refused, and which field opens it. */
export function refusalText({ reason, target, caller }: Refusal): string {
  const place = target === undefined ? 'the target' : `${target.host}:${target.port}`;
  const who = caller === undefined ? '' : ` (Sandbox ${caller.namespace}/${caller.name})`;
  return `AgentTier egress: ${TEXTS[reason](place)}${who} [${reason}]\n`;
}

/** The answer to CONNECT, where there is no ServerResponse. */
export function refusalHead(refusal: Refusal): string {
  const status = REFUSALS[refusal.reason];
  const body = refusalText(refusal);
  const headers = Object.entries({
    ...refusalHeaders(refusal),
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  });
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `HTTP/1.1 ${status} Refused\r\n${lines}\r\n${body}`;
}

export function refusalHeaders({ reason }: Refusal): Record<string, string> {
  return {
    'Content-Type': 'text/plain; charset=utf-8',
    'X-AgentTier-Refused': reason,
    ...(reason === 'credentials_missing' ? { 'Proxy-Authenticate': 'Basic realm="agenttier"' } : {}),
  };
}
