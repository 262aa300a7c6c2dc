// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:tls';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { helloFor } from '../testing/hello.ts';
import { MAX_HELLO, peekClientHello } from './clientHello.ts';

/** What Node's own TLS sends first. */
async function realHello(servername: string | undefined): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect({ port, host: '127.0.0.1', ...(servername ? { servername } : {}) });
  client.on('error', () => undefined);
  const [socket] = await accepted;
  const [first] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return first;
}

let real: Buffer;
beforeAll(async () => {
  real = await realHello('api.example.com');
});

describe('peekClientHello', () => {
  it('reads the name that a real client asks for', () => {
    expect(peekClientHello(real)).toEqual({ kind: 'name', name: 'api.example.com' });
  });

  it('notices a client that asks for none', async () => {
    expect(peekClientHello(await realHello(undefined))).toEqual({ kind: 'nameless' });
  });

  it('waits for every part of it', () => {
    for (let length = 0; length < real.length; length++) {
      expect(peekClientHello(real.subarray(0, length)).kind).toBe('more');
    }
  });

  it('puts together what is cut into records', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: real.length - 6 }), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (at) => {
        const body = real.subarray(5);
        const edges = [0, ...new Set([...at].sort((a, b) => a - b)), body.length];
        const records = edges.slice(1).flatMap((end, i) => {
          const part = body.subarray(edges[i], end);
          return [Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part];
        });
        expect(peekClientHello(Buffer.concat(records))).toEqual({ kind: 'name', name: 'api.example.com' });
      }),
    );
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['SSH', Buffer.from('SSH-2.0-x\r\n')],
    ['an alert', Buffer.from([21, 3, 1, 0, 2, 1, 0])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['SSLv2', Buffer.from([0x80, 0x2e, 1, 3, 1])],
    ['two names', helloFor(['a.example.com', 'b.example.com'])],
    ['the extension twice', helloFor(['a.example.com'], { extensions: 2 })],
    ['more in the record', helloFor(['a.example.com'], { behind: 4 })],
    ['another message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['an impossible length', Buffer.from([22, 3, 1, 0, 4, 1, 255, 0, 0])],
  ])('%s is none', (_name, bytes) => {
    expect(peekClientHello(bytes).kind).toBe('invalid');
  });

  it('survives any bytes, and never waits for more than a hello can have', () => {
    const noise = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
    fc.assert(fc.property(noise, (bytes) => typeof peekClientHello(bytes).kind === 'string'));
    const long = Buffer.concat([Buffer.from([22, 3, 1, 0x40, 0]), Buffer.alloc(MAX_HELLO + 1, 1)]);
    expect(peekClientHello(long).kind).toBe('invalid');
  });

  it('never reads a name out of a hello with one byte changed but the name at its place', () => {
    const at = real.indexOf('api.example.com');
    fc.assert(
      fc.property(fc.nat(real.length - 1), fc.integer({ min: 1, max: 255 }), (index, change) => {
        const bytes = Buffer.from(real);
        bytes[index] = (bytes[index] ?? 0) ^ change;
        const peeked = peekClientHello(bytes);
        if (peeked.kind !== 'name') return true;
        return bytes.subarray(at).toString('latin1').startsWith(peeked.name);
      }),
    );
  });

  it('reads any name back that it is given', () => {
    fc.assert(
      fc.property(fc.domain(), (name) => {
        expect(peekClientHello(helloFor([name]))).toEqual({ kind: 'name', name });
      }),
    );
  });
});
