// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANN_KEY, Harness } from '../testing/harness.ts';
import { sendRaw } from '../testing/rawHttp.ts';
import { REAL_UID, RealRuntime } from '../testing/realRuntime.ts';

let runtime: RealRuntime;
let harness: Harness;
/** A program of the sandbox that shows what it got, byte by byte. */
let program: Server;
let got = '';
let reply = '';

beforeAll(async () => {
  runtime = await RealRuntime.start(process.env);
  program = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
      if (got.includes('\r\n\r\n')) socket.end(reply);
    });
  });
  await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve));
  harness = await Harness.start({ runtimePort: runtime.port });
  await harness.add({
    name: 'box',
    uid: REAL_UID,
    spec: { createdBy: { sub: 'ann' }, ports: [{ port: programPort() }] },
  });
  await writeFile(join(runtime.folder, 'inside'), 'mine');
}, 120_000);
afterAll(async () => {
  program.close();
  await harness.stop();
  await runtime.stop();
});

const programPort = (): number => (program.address() as AddressInfo).port;

const send = (line: string, headers: readonly string[] = [], body = '') =>
  sendRaw(
    harness.url,
    [`${line} HTTP/1.1`, 'Host: x', `X-API-Key: ${ANN_KEY}`, 'Connection: close', ...headers, '', body].join(
      '\r\n',
    ),
  );

describe('a path of a file', () => {
  const inside = (): string => runtime.folder;
  const ups: [name: string, up: string][] = [
    ['plain dots', '..'],
    ['encoded dots', '%2e%2e'],
    ['half encoded dots', '.%2e'],
    ['doubly encoded dots', '%252e%252e'],
    ['overlong dots', '%c0%ae%c0%ae'],
    ['overlong dots of three bytes', '%e0%80%ae%e0%80%ae'],
    ['fullwidth dots', '%ef%bc%8e%ef%bc%8e'],
    ['dots with a zero byte', '..%00'],
    ['dots with a parameter', '..;'],
    ['encoded slashes', '..%2f..%2f..'],
    ['overlong slashes', '..%c0%af..%c0%af..'],
    ['backslashes', '..%5c..%5c..'],
  ];
  it.each(ups)('leads nowhere else by %s', async (_name, up) => {
    const path = `/api/v1/sandboxes/box/files${inside()}/${`${up}/`.repeat(8)}etc/hostname`;
    const { statuses, text } = await send(`GET ${path}`);
    expect(statuses[0]).toBeGreaterThanOrEqual(400);
    expect(statuses[0]).toBeLessThan(500);
    expect(text).not.toContain(await readFile('/etc/hostname', 'utf8'));
  });

  it.each(ups)('is written nowhere else by %s', async (_name, up) => {
    const path = `/api/v1/sandboxes/box/files${inside()}/${`${up}/`.repeat(3)}attacked`;
    const { statuses } = await send(`PUT ${path}`, ['Content-Length: 1'], 'x');
    expect(statuses[0]).toBeLessThan(500);
    for (const folder of ['/', '/tmp', '/root'])
      await expect(stat(join(folder, 'attacked'))).rejects.toThrow('ENOENT');
  });

  it('breaks no header when it is a name', async () => {
    const odd = 'a\r\nSet-Cookie: x=1\r\n\r\n<script>';
    await writeFile(join(inside(), odd.replaceAll('/', '_')), 'x');
    const { text } = await send(`GET /api/v1/sandboxes/box/files${inside()}/${encodeURIComponent(odd)}`);
    const [head = ''] = text.split('\r\n\r\n');
    expect(head).toContain('Content-Disposition: attachment; filename="a__Set-Cookie__x_1_');
    expect(head).not.toMatch(/^Set-Cookie/m);
  });

  it('breaks no header when it is that of an archive', async () => {
    const odd = 'b"\r\nSet-Cookie: x=1';
    await mkdir(join(inside(), odd));
    const path = encodeURIComponent(join(inside(), odd));
    const { text } = await send(`GET /api/v1/sandboxes/box/archive?format=zip&path=${path}`);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text.split('\r\n\r\n')[0]).not.toMatch(/^Set-Cookie/m);
  });
});

describe('a member of an archive', () => {
  /** Just enough of a tar: one file of one byte. */
  function tarOf(name: string): string {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\0', 100);
    header.write('00000000001\0', 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write('0', 156);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return Buffer.concat([header, Buffer.from('x'.padEnd(512, '\0')), Buffer.alloc(1024)]).toString('latin1');
  }

  it.each(['../attacked', '/tmp/attacked', 'a/../../attacked'])(
    'is not unpacked elsewhere: %s',
    async (name) => {
      const tar = tarOf(name);
      const path = encodeURIComponent(join(runtime.folder, 'unpacked'));
      const { statuses, text } = await send(
        `PUT /api/v1/sandboxes/box/archive?path=${path}`,
        [`Content-Length: ${tar.length}`],
        tar,
      );
      expect(statuses).toEqual([403]);
      expect(text).toContain('path_escape');
      for (const folder of ['/tmp', runtime.folder])
        await expect(stat(join(folder, 'attacked'))).rejects.toThrow('ENOENT');
    },
  );
});

describe('what is handed on to a program', () => {
  const preview = (headers: readonly string[], method = 'GET', body = '', rest = '/') => {
    got = '';
    return send(`${method} /api/v1/sandboxes/box/preview/${programPort()}${rest}`, headers, body);
  };
  const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

  it('is one request, however its body was framed', async () => {
    reply = OK;
    const inner = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
    const chunked = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\nX-Trailer: 1\r\n\r\n`;
    const { statuses } = await preview(['Transfer-Encoding: chunked', 'TE: trailers'], 'POST', chunked);
    expect(statuses).toEqual([200]);
    const [head = ''] = got.split('\r\n\r\n');
    expect(head.match(/^content-length|^transfer-encoding/gim)).toHaveLength(1);
    expect(got).not.toMatch(/^X-Trailer/im);
    expect(head).not.toMatch(/^te:/im);
  });

  it('has one word on where it comes from: ours', async () => {
    reply = OK;
    await preview([
      'X-Forwarded-For: 6.6.6.6',
      'X-Forwarded-Host: evil',
      'X-Real-IP: 6.6.6.6',
      'Forwarded: for=6.6.6.6',
      'X-AgentTier-Actor: root',
    ]);
    expect(got).toMatch(/^x-forwarded-for: 127\.0\.0\.1\r$/im);
    expect(got).not.toMatch(/6\.6\.6\.6|evil|root/);
  });

  it('keeps what the router says, whatever Connection names', async () => {
    reply = OK;
    await preview(['Connection: close, x-forwarded-for, host, x-forwarded-host']);
    expect(got).toMatch(/^x-forwarded-for: 127\.0\.0\.1\r$/im);
    expect(got.match(/^host:/gim)).toHaveLength(1);
  });

  it('has no line of its own in the path', async () => {
    reply = OK;
    await preview([], 'GET', '', '/a%0d%0aX-Evil:%201%0d%0a');
    expect(got.split('\r\n')[0]).toBe('GET /a%0d%0aX-Evil:%201%0d%0a HTTP/1.1');
    expect(got).not.toMatch(/^X-Evil/im);
  });
});

describe('what a program answers', () => {
  it.each([
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\nok'],
    [
      'length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
    ],
    [
      'a second answer behind the first',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 299 Evil\r\n\r\n',
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH_9\r\n'],
    ['endless headers', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(300_000)}\r\n`],
  ])('is one answer or none: %s', async (_name, said) => {
    got = '';
    reply = said;
    const { statuses, text } = await send(`GET /api/v1/sandboxes/box/preview/${programPort()}/`);
    expect(statuses).toHaveLength(1);
    expect([200, 502]).toContain(statuses[0]);
    expect(text).not.toContain('299 Evil');
    expect(text.match(/^content-length/gim)?.length ?? 0).toBeLessThanOrEqual(1);
  });
});
