// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { issueAuthority, issueLeaf } from '@agenttier/machinery/tls/issue';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: {
    readonly event: string;
    readonly sandboxId: string;
    readonly namespace: string;
    readonly timestamp: string;
    readonly id: string;
    readonly data: { readonly message: string; readonly owner?: string };
  };
}

export interface Receiver {
  readonly url: string;
  /** PEM of the authority that its certificate is from. */
  readonly ca: string;
  readonly received: readonly Received[];
  /** Status of answers; undefined leaves requests without one. */
  answer: number | undefined;
  close(): Promise<void>;
}

/** A real HTTPS server on this machine that keeps what it is sent. */
export async function startReceiver(): Promise<Receiver> {
  const validity = { from: Date.now() - 60_000, until: Date.now() + 3_600_000 };
  const authority = await issueAuthority('receivers', validity);
  const leaf = await issueLeaf(authority, {
    dnsNames: ['receiver.test'],
    ipAddresses: ['127.0.0.1'],
    validity,
  });
  const received: Received[] = [];
  const server = createServer({ cert: leaf.cert, key: leaf.key });
  const receiver = { answer: 204 as number | undefined };
  server.on('request', (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      received.push({
        path: request.url ?? '',
        headers: request.headers,
        text,
        body: JSON.parse(text) as Received['body'],
      });
      const { answer } = receiver;
      if (answer === undefined) return;
      response.writeHead(answer, answer >= 300 && answer < 400 ? { location: '/elsewhere' } : {}).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, {
    url: `https://127.0.0.1:${port}/hook`,
    ca: authority.cert,
    received,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

/** Both signatures, as a receiver works them out. */
export function signaturesOf(key: string, { headers, text }: Received): Record<string, string> {
  const sign = (signed: string): string => `sha256=${createHmac('sha256', key).update(signed).digest('hex')}`;
  return {
    'x-agenttier-signature': sign(text),
    'x-agenttier-signature-v2': sign(`${String(headers['x-agenttier-timestamp'])}.${text}`),
  };
}
