// SPDX-License-Identifier: Apache-2.0
import { hostName } from '@agenttier/crds/egress/domains';
import type { RefusalReason, Target } from './refusal.ts';

export type Read<T> =
  | ({ readonly ok: true } & T)
  | { readonly ok: false; readonly reason: RefusalReason; readonly target?: Target };

/** The target of CONNECT: `host:port` and nothing else (RFC 9110 section 9.3.6). */
export function connectTarget(url: string): Read<{ readonly target: Target }> {
  const match = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/@[\]]+):([0-9]{1,5})$/.exec(url);
  return match === null ? { ok: false, reason: 'bad_target' } : named(match[1] ?? '', Number(match[2]));
}

/** The target of a request in absolute form, and the path that the server is asked for. */
export function forwardTarget(url: string): Read<{ readonly target: Target; readonly path: string }> {
  if (url.startsWith('/') || url === '*') return { ok: false, reason: 'not_a_proxy_request' };
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'https:') return { ok: false, reason: 'https_without_connect' };
  if (parsed?.protocol !== 'http:') return { ok: false, reason: 'bad_target' };
  const read = named(parsed.hostname, parsed.port === '' ? 80 : Number(parsed.port));
  return read.ok ? { ...read, path: `${parsed.pathname}${parsed.search}` } : read;
}

function named(host: string, port: number): Read<{ readonly target: Target }> {
  if (port < 1 || port > 65_535) return { ok: false, reason: 'bad_target' };
  const name = hostName(host);
  if (name !== undefined) return { ok: true, target: { host: name, port } };
  const literal = host.startsWith('[') || /(^|\.)([0-9]+|0[xX][0-9a-fA-F]*)\.?$/.test(host);
  return { ok: false, reason: literal ? 'address_literal' : 'bad_target', target: { host, port } };
}

/** The uid of the caller's pod out of `Proxy-Authorization: Basic` (RFC 7617), where it is the password. */
export function podUidIn(header: string | undefined): string | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=_-]{1,256})$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [, uid = ''] =
    /^pod:([a-z0-9-]{1,64})$/.exec(Buffer.from(encoded, 'base64').toString('latin1')) ?? [];
  return uid === '' ? undefined : uid;
}

/** The address of a peer, IPv4 in its own notation although the socket takes both kinds. */
export const peerAddress = (address: string | undefined): string =>
  (address ?? '').replace(/^::ffff:(?=[0-9.]+$)/i, '');

/** Headers that concern one connection and not the request (RFC 9110 section 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What is passed on of a message's raw headers, in order, without those that its Connection header names. */
export function endToEndHeaders(raw: readonly string[]): string[] {
  const pairs = raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] ?? ''] as const] : []));
  const named = pairs
    .filter(([name]) => name.toLowerCase() === 'connection')
    .flatMap(([, value]) => value.split(',').map((token) => token.trim().toLowerCase()));
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  return pairs.filter(([name]) => !dropped.has(name.toLowerCase())).flat();
}
