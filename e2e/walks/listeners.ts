// SPDX-License-Identifier: Apache-2.0
import { createServer as createHttpServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { issueAuthority, issueLeaf } from '@agenttier/machinery/tls/issue';
import type { Json } from './harness.ts';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: Json;
}

export interface Receiver {
  readonly url: string;
  /** PEM of the authority of its certificate. */
  readonly ca: string;
  readonly received: readonly Received[];
  close(): Promise<void>;
}

export interface Span {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
}

export interface Collector {
  readonly url: string;
  readonly spans: readonly Span[];
  close(): Promise<void>;
}

/** An HTTPS server on the node's own address, which pods can reach, that keeps what it is sent. */
export async function startReceiver(address: string): Promise<Receiver> {
  const validity = { from: Date.now() - 60_000, until: Date.now() + 3_600_000 };
  const authority = await issueAuthority('walk', validity);
  const leaf = await issueLeaf(authority, { dnsNames: ['receiver.test'], ipAddresses: [address], validity });
  const received: Received[] = [];
  const server = createHttpsServer({ cert: leaf.cert, key: leaf.key }, (request, response) => {
    read(request, (text) => {
      received.push({ headers: request.headers, text, body: JSON.parse(text) });
      response.writeHead(204).end();
    });
  });
  const port = await listen(server, address);
  return { url: `https://${address}:${port}/hook`, ca: authority.cert, received, close: () => close(server) };
}

/** A collector of traces that takes OTLP over HTTP in JSON. */
export async function startCollector(address: string): Promise<Collector> {
  const spans: Span[] = [];
  const server = createHttpServer((request, response) => {
    read(request, (text) => {
      for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
        const named = resource.attributes.find((one: Json) => one.key === 'service.name');
        const service = String(named?.value.stringValue);
        for (const scope of scopeSpans)
          spans.push(...scope.spans.map((span: Json) => ({ ...span, service })));
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  const port = await listen(server, address);
  return { url: `http://${address}:${port}`, spans, close: () => close(server) };
}

function read(request: IncomingMessage, onText: (text: string) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => onText(Buffer.concat(chunks).toString()));
}

function listen(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, () => resolve((server.address() as AddressInfo).port));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
