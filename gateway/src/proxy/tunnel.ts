// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { hostName } from '@agenttier/crds/egress/domains';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { GatewayMetrics } from '../metrics.ts';
import { peekClientHello } from '../tls/clientHello.ts';
import { dial } from './dial.ts';
import type { Gate, Pass } from './gate.ts';
import { refusalHead } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { connectTarget, peerAddress } from './request.ts';

export interface TunnelOptions {
  readonly gate: Gate;
  readonly log: Logger;
  readonly metrics: GatewayMetrics;
  /** How long the client may take to begin TLS. */
  readonly helloMs: number;
  /** Silence in both directions after which a tunnel is closed. */
  readonly idleMs: number;
}

const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';
/** A fatal alert, access_denied (RFC 8446 section 6.2): what is left to say once TLS has begun. */
const ALERT = Buffer.from([21, 3, 3, 0, 2, 2, 49]);

/**
 * One CONNECT: decides, connects, and lets nothing through before it has seen which server TLS asks for. Both directions
 * are piped, so a slow reader holds its writer back and memory stays bounded. Never rejects.
 */
export async function tunnel(
  options: TunnelOptions,
  request: IncomingMessage,
  client: Socket,
  head: Buffer,
): Promise<void> {
  const closed = new AbortController();
  client.once('close', () => closed.abort());
  client.on('error', () => client.destroy());
  try {
    await run(options, { request, client, head, signal: closed.signal });
  } catch (error) {
    options.log.error({ err: error }, 'a tunnel failed');
    client.destroy();
  }
}

interface Ends {
  readonly request: IncomingMessage;
  readonly client: Socket;
  readonly head: Buffer;
  readonly signal: AbortSignal;
}

async function run(options: TunnelOptions, ends: Ends): Promise<void> {
  const { gate } = options;
  const { request, client, signal } = ends;
  const peer = peerAddress(request.socket.remoteAddress);
  const refuse = (refusal: Refusal, answer: string | Buffer): void => {
    gate.refused('connect', refusal, peer);
    client.end(answer);
  };
  const cut = (): void => void client.destroy();
  const decision = await gate.decide({ request, read: connectTarget(request.url ?? ''), cut, signal });
  if ('refusal' in decision) return refuse(decision.refusal, refusalHead(decision.refusal));
  const { pass } = decision;
  signal.addEventListener('abort', pass.close, { once: true });
  if (signal.aborted) return pass.close();
  const server = await dial(pass.addresses, pass.target.port, signal);
  if (server === undefined) {
    const refusal = { reason: 'unreachable', ...whose(pass) } as const;
    return refuse(refusal, refusalHead(refusal));
  }
  signal.addEventListener('abort', () => server.destroy(), { once: true });
  client.write(ESTABLISHED);
  const opening = await openingOf(ends, pass, options.helloMs);
  if ('refusal' in opening) {
    server.destroy();
    return refuse(opening.refusal, ALERT);
  }
  gate.passed('connect', pass);
  join(options, { client, server, first: opening.bytes });
}

const whose = ({ caller, target }: Pass): Pick<Pass, 'caller' | 'target'> => ({ caller, target });

type Opening = { readonly bytes: Buffer } | { readonly refusal: Refusal };

/** The first bytes of the client, once they are a whole ClientHello for the host that CONNECT named. */
async function openingOf({ client, head, signal }: Ends, pass: Pass, helloMs: number): Promise<Opening> {
  const refusal = (reason: Refusal['reason'], detail?: string): Opening => ({
    refusal: { reason, ...whose(pass), detail },
  });
  const late = AbortSignal.any([signal, AbortSignal.timeout(helloMs)]);
  let bytes = head;
  for (;;) {
    const peeked = peekClientHello(bytes);
    if (peeked.kind === 'invalid') return refusal('not_tls', peeked.reason);
    if (peeked.kind === 'nameless') return refusal('server_name_missing');
    if (peeked.kind === 'name') {
      const same = hostName(peeked.name) === pass.target.host;
      return same ? { bytes } : refusal('server_name_mismatch', peeked.name.slice(0, 253));
    }
    const more = await nextBytes(client, late);
    if (more === undefined) return refusal('hello_late');
    bytes = Buffer.concat([bytes, more]);
  }
}

/** Whatever arrives next; undefined when the signal comes first. The parser bounds how often this is asked. */
async function nextBytes(client: Socket, signal: AbortSignal): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const take = (chunk: Buffer): void => {
    client.pause();
    resolve(chunk);
  };
  const giveUp = (): void => resolve(undefined);
  client.once('data', take);
  client.once('end', giveUp);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  client.resume();
  return promise.finally(() => {
    client.removeListener('data', take);
    client.removeListener('end', giveUp);
    signal.removeEventListener('abort', giveUp);
  });
}

interface Joint {
  readonly client: Socket;
  readonly server: Socket;
  readonly first: Buffer;
}

function join({ metrics, idleMs }: TunnelOptions, { client, server, first }: Joint): void {
  // Reads and writes both count, so this is silence in both directions.
  client.setTimeout(idleMs, () => client.destroy());
  server.write(first);
  const done = (): void => {
    metrics.bytes('out', server.bytesWritten);
    metrics.bytes('in', server.bytesRead);
  };
  server.once('close', done);
  pipeline(client, server, () => undefined);
  pipeline(server, client, () => client.destroySoon());
}
