// SPDX-License-Identifier: Apache-2.0
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { dial } from './dial.ts';
import type { Gate, Pass } from './gate.ts';
import { REFUSALS, refusalHeaders, refusalText } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { endToEndHeaders, forwardTarget, peerAddress } from './request.ts';

export interface ForwardOptions {
  readonly gate: Gate;
  readonly log: Logger;
  readonly maxHeaderSize: number;
  readonly idleMs: number;
}

/** One request for an `http://` URL, passed on to the host of that URL whatever its Host header says. Never rejects. */
export async function forward(
  options: ForwardOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const ended = new AbortController();
  response.once('close', () => ended.abort());
  try {
    await run(options, { request, response, signal: ended.signal });
  } catch (error) {
    options.log.error({ err: error }, 'a request failed');
    response.destroy();
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly signal: AbortSignal;
}

async function run(options: ForwardOptions, exchange: Exchange): Promise<void> {
  const { gate } = options;
  const { request, response, signal } = exchange;
  const read = forwardTarget(request.url ?? '');
  const cut = (): void => void response.destroy();
  const decision = await gate.decide({ request, read, cut, signal });
  if ('refusal' in decision) return refuse(gate, exchange, decision.refusal);
  const { pass } = decision;
  response.once('close', pass.close);
  if (response.destroyed || !read.ok) return pass.close();
  const socket = await dial(pass.addresses, pass.target.port, signal);
  if (socket === undefined) {
    const { caller, target } = pass;
    return refuse(gate, exchange, { reason: 'unreachable', caller, target });
  }
  response.once('close', () => socket.destroy());
  gate.passed('http', pass);
  const upstream = httpRequest({
    createConnection: () => socket,
    method: request.method,
    path: read.path,
    headers: headersFor(request, pass),
    setHost: false,
    maxHeaderSize: options.maxHeaderSize,
    timeout: options.idleMs,
  });
  upstream.on('timeout', () => upstream.destroy());
  upstream.on('error', () => fail(gate, exchange, pass));
  upstream.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, endToEndHeaders(answer.rawHeaders));
    pipeline(answer, response, () => undefined);
  });
  pipeline(request, upstream, () => undefined);
}

function headersFor(request: IncomingMessage, { target }: Pass): string[] {
  const host = target.port === 80 ? target.host : `${target.host}:${target.port}`;
  const kept = endToEndHeaders(request.rawHeaders);
  const withoutHost = kept.filter((_, i) => kept[i - (i % 2)]?.toLowerCase() !== 'host');
  const chunked = request.headers['transfer-encoding'] === undefined ? [] : ['Transfer-Encoding', 'chunked'];
  return ['Host', host, ...withoutHost, ...chunked, 'Connection', 'close'];
}

function fail(gate: Gate, exchange: Exchange, { caller, target }: Pass): void {
  if (exchange.response.headersSent) exchange.response.destroy();
  else refuse(gate, exchange, { reason: 'unreachable', caller, target });
}

function refuse(gate: Gate, { request, response }: Exchange, refusal: Refusal): void {
  gate.refused('http', refusal, peerAddress(request.socket.remoteAddress));
  response.writeHead(REFUSALS[refusal.reason], { ...refusalHeaders(refusal), Connection: 'close' });
  response.end(refusalText(refusal));
}
