// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY, ANN_KEY, BOB_KEY, Harness, keySecret } from '../../testing/harness.ts';
import type { Json } from '../../testing/harness.ts';
import { FakePodExec } from '../../testing/fakePodExec.ts';
import { REAL_UID, RealRuntime } from '../../testing/realRuntime.ts';
import { relayInto } from '../../testing/relay.ts';

let runtime: RealRuntime;
let harness: Harness;
let podExec: FakePodExec;

const SCOPED_KEY = 'atk_scoped-0123456789abcdefghijkl';
const MB = 1024 * 1024;

beforeAll(async () => {
  runtime = await RealRuntime.start(process.env);
  podExec = await FakePodExec.start();
  harness = await Harness.start({ runtimePort: runtime.port }, { apiServer: podExec.url });
  await harness.add({
    name: 'box',
    uid: REAL_UID,
    spec: { sharing: { users: [{ identity: 'bob', level: 'viewer' }] } },
  });
  const scope = { userId: 'ann', sandboxId: 'box', actionGroups: ['files:read'] };
  harness.router.stores.apiKeys.applyWatch(keySecret(SCOPED_KEY, scope));
}, 120_000);
afterAll(async () => {
  await harness.stop();
  await podExec.close();
  await runtime.stop();
});

interface Sent {
  readonly key?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Readable | Buffer | string;
  readonly base?: string;
}

/** fetch would tidy paths up, and so hide what the router makes of them. */
function send(method: string, path: string, sent: Sent = {}): Promise<IncomingMessage> {
  const { key = ANN_KEY, headers = {}, body, base = harness.url } = sent;
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base);
    const request = httpRequest(
      {
        method,
        hostname,
        port,
        path: `/api/v1/sandboxes/box${path}`,
        headers: { 'X-API-Key': key, ...headers },
      },
      resolve,
    );
    request.on('error', reject);
    if (body instanceof Readable) pipeline(body, request).catch(reject);
    else request.end(body);
  });
}

async function ask(method: string, path: string, sent: Sent = {}) {
  const answer = await send(method, path, sent);
  const bytes = await buffer(answer);
  const isJson = answer.headers['content-type']?.startsWith('application/json') ?? false;
  const body: Json = isJson ? JSON.parse(bytes.toString()) : undefined;
  return { status: answer.statusCode, headers: answer.headers, bytes, body };
}

const at = (name: string): string => `/files${runtime.folder}/${name}`;
const inside = (name: string): string => join(runtime.folder, name);
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('a file', () => {
  it.each([0, 1, 64 * 1024, 786_432 + 1, 8 * MB])('of %i bytes goes there and back', async (size) => {
    const content = randomBytes(size);
    const put = await ask('PUT', at('made/deep/file'), { body: content });
    expect(put).toMatchObject({ status: 201, body: { path: inside('made/deep/file'), bytes: size } });
    expect(put.headers['x-agenttier-transport']).toBe('runtime');
    const got = await ask('GET', at('made/deep/file'));
    expect(got.status).toBe(200);
    expect(got.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(size),
      'content-disposition': 'attachment; filename="file"',
      'x-content-type-options': 'nosniff',
    });
    expect(sha(got.bytes)).toBe(sha(content));
  });

  it.each([
    'a b',
    "it's",
    'say "hi"',
    'two\r\nlines: x',
    '😀',
    '100%',
    '%2e%2e',
    '-rf',
    'back\\slash',
    '$(id)`id`',
    '...',
    '.hidden',
    '?query=1',
    '#hash',
    'a+b&c;d',
    '~',
  ])('named %j goes there and back', async (name) => {
    const path = at(`odd/${encodeURIComponent(name)}`);
    expect((await ask('PUT', path, { body: name })).status).toBe(201);
    expect(await readFile(inside(`odd/${name}`), 'utf8')).toBe(name);
    const got = await ask('GET', path);
    expect(got.bytes.toString()).toBe(name);
    expect(got.headers['content-disposition']).toMatch(
      /^attachment; filename="[\w.-]+"(; filename\*=UTF-8''[^\s"]+)?$/,
    );
    const listed = await ask('GET', `/files/?path=${encodeURIComponent(inside('odd'))}`);
    expect(listed.body).toMatchObject({ entries: [{ name }] });
    expect((await ask('DELETE', path)).status).toBe(204);
    expect((await ask('GET', path)).status).toBe(404);
  });

  it('may have any bytes for a name', async () => {
    expect((await ask('PUT', at('raw/%ff%fe'), { body: 'x' })).status).toBe(201);
    const names = await readdir(inside('raw'), { encoding: 'buffer' });
    expect(names).toEqual([Buffer.of(0xff, 0xfe)]);
    const { body } = await ask('GET', `/files?path=${encodeURIComponent(inside('raw'))}`);
    expect(Buffer.from(body.entries[0].nameBase64, 'base64url')).toEqual(names[0]);
    const path = Buffer.from(`${inside('raw')}/`, 'utf8');
    const pathBase64 = Buffer.concat([path, names[0] as Buffer]).toString('base64url');
    const moved = await ask('POST', '/files', {
      body: JSON.stringify({ op: 'move', pathBase64, to: inside('raw/fine') }),
    });
    expect(moved).toMatchObject({ status: 201, body: { entry: { name: 'fine', size: 1 } } });
  });

  it('answers untidy paths without a redirect, and a broken % with 400', async () => {
    await writeFile(inside('tidy'), 'x');
    for (const path of [`/files/${runtime.folder}//./tidy`, `${at('no')}/%2e%2e/tidy`, at('x/../tidy')]) {
      expect((await ask('GET', path)).status).toBe(200);
    }
    expect((await ask('GET', at('100%'))).status).toBe(400);
    expect((await ask('GET', at('nul%00'))).status).toBe(400);
  });

  it('can be asked for in part, by its tag, and for its head alone', async () => {
    await writeFile(inside('ranged'), '0123456789');
    const head = await ask('HEAD', at('ranged'));
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': '10' } });
    expect(head.bytes.length).toBe(0);
    const tag = String(head.headers.etag);
    const part = await ask('GET', at('ranged'), { headers: { Range: 'bytes=2-4', 'If-Range': tag } });
    expect(part).toMatchObject({ status: 206, headers: { 'content-range': 'bytes 2-4/10' } });
    expect(part.bytes.toString()).toBe('234');
    const beyond = await ask('GET', at('ranged'), { headers: { Range: 'bytes=20-' } });
    expect(beyond).toMatchObject({ status: 416, headers: { 'content-range': 'bytes */10' } });
    expect((await ask('GET', at('ranged'), { headers: { 'If-None-Match': tag } })).status).toBe(304);
    const stale = { 'If-Match': '"stale"' };
    const refused = await ask('PUT', at('ranged'), { headers: stale, body: 'new' });
    expect(refused).toMatchObject({ status: 412, body: { error: 'precondition_failed' } });
    expect((await ask('PUT', at('ranged'), { headers: { 'If-Match': tag }, body: 'new' })).status).toBe(201);
    expect((await ask('PUT', at('ranged'), { headers: { 'If-None-Match': '*' }, body: 'x' })).status).toBe(
      412,
    );
    expect(await readFile(inside('ranged'), 'utf8')).toBe('new');
  });

  it('goes on where its upload broke off', async () => {
    const path = `${at('resumed')}?upload=u1`;
    const first = await ask('PATCH', path, { headers: { 'Content-Range': 'bytes 0-4/10' }, body: '01234' });
    expect(first).toMatchObject({
      status: 202,
      body: { received: 5, total: 10 },
      headers: { range: 'bytes=0-4' },
    });
    const gap = await ask('PATCH', path, { headers: { 'Content-Range': 'bytes 7-9/10' }, body: '789' });
    expect(gap).toMatchObject({ status: 409, body: { error: 'upload_gap' } });
    const rest = await ask('PATCH', path, { headers: { 'Content-Range': 'bytes 5-9/10' }, body: '56789' });
    expect(rest).toMatchObject({ status: 201, body: { bytes: 10 } });
    expect(await readFile(inside('resumed'), 'utf8')).toBe('0123456789');
  });

  it('lies nowhere else, whatever links say', async () => {
    await symlink('/etc', inside('out'));
    for (const path of [
      at('out/hostname'),
      '/files/etc/hostname',
      '/files/proc/self/environ',
      at('%2e%2e/%2e%2e/etc/passwd'),
    ]) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const refused = await ask(method, path, method === 'PUT' ? { body: 'x' } : {});
        expect(refused).toMatchObject({ status: 403, body: { error: 'path_escape' } });
      }
    }
    const listed = await ask('GET', `/files?path=${encodeURIComponent(inside('out'))}`);
    expect(listed.body.error).toBe('path_escape');
  });
});

it('changes the tree', async () => {
  const change = (body: object) => ask('POST', '/files', { body: JSON.stringify(body) });
  const made = await change({ op: 'mkdir', path: inside('tree/a'), mode: '0750' });
  expect(made).toMatchObject({
    status: 201,
    body: { path: inside('tree/a'), entry: { type: 'dir', permissions: '0750' } },
  });
  await writeFile(inside('tree/a/f'), 'f');
  expect((await change({ op: 'copy', path: inside('tree/a'), to: inside('tree/b') })).status).toBe(201);
  expect((await change({ op: 'chmod', path: inside('tree/b/f'), mode: '0700' })).body).toMatchObject({
    entry: { mode: '-rwx------' },
  });
  expect((await change({ op: 'fly', path: inside('tree') })).status).toBe(400);
  expect((await change({ op: 'move', path: inside('tree/a'), to: inside('tree/b') })).status).toBe(409);
  const stat = await ask('GET', `/stat?path=${encodeURIComponent(inside('tree/b/f'))}`);
  expect(stat).toMatchObject({ status: 200, body: { entry: { name: 'f', size: 1, type: 'file' } } });
  const all = await ask('GET', `/files?depth=9&limit=2&path=${encodeURIComponent(inside('tree'))}`);
  expect(all.body).toMatchObject({ entries: [{ path: 'a' }, { path: 'a/f' }], continue: expect.any(String) });
  expect((await ask('DELETE', at('tree'))).status).toBe(409);
  expect((await ask('DELETE', `${at('tree')}?recursive=true`)).status).toBe(204);
});

describe('an archive', () => {
  it.each(['zip', 'tar', 'tar.gz'])('as %s comes out and goes in', async (format) => {
    await mkdir(inside(`packed/in/${format}`), { recursive: true });
    await writeFile(inside('packed/in/file'), 'content');
    const path = encodeURIComponent(inside('packed/in'));
    const out = await ask('GET', `/archive?path=${path}&format=${format}`);
    expect(out).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    expect(out.headers['content-disposition']).toContain(`filename="box-in.${format}"`);
    const to = encodeURIComponent(inside(`packed/out-${format}`));
    const back = await ask('PUT', `/archive?path=${to}`, { body: out.bytes });
    expect(back).toMatchObject({ status: 200, body: { files: 1, bytes: 7 } });
    expect(await readFile(inside(`packed/out-${format}/file`), 'utf8')).toBe('content');
  });

  it('that fails half-way is seen to fail', async () => {
    await mkdir(inside('shrinking'));
    await writeFile(inside('shrinking/big'), randomBytes(48 * MB));
    const answer = await send('GET', `/archive?format=tar&path=${encodeURIComponent(inside('shrinking'))}`);
    expect(answer.statusCode).toBe(200);
    await truncate(inside('shrinking/big'), 10);
    await expect(buffer(answer)).rejects.toThrow('aborted');
  });

  it('of what is no folder is refused', async () => {
    expect((await ask('GET', '/archive?path=/etc')).status).toBe(403);
    expect((await ask('GET', `/archive?path=${encodeURIComponent(inside('none'))}`)).status).toBe(404);
    expect((await ask('PUT', '/archive', { body: 'this is none' })).status).toBe(400);
    expect((await ask('GET', '/archive?format=rar')).status).toBe(400);
  });
});

describe('access to files', () => {
  it.each([
    ['a viewer', BOB_KEY, 403, 403],
    ['an administrator', ADMIN_KEY, 200, 201],
    ['a key for reading', SCOPED_KEY, 200, 403],
    ['nobody', '', 401, 401],
  ])('of %s', async (_who, key, reads, writes) => {
    await writeFile(inside('shared'), 'x');
    expect((await ask('GET', at('shared'), { key })).status).toBe(reads);
    expect((await ask('PUT', at('shared'), { key, body: 'y' })).status).toBe(writes);
    expect((await ask('GET', '/files', { key })).status).toBe(reads);
    expect((await ask('GET', '/archive?path=/no', { key })).status).toBe(reads === 200 ? 403 : reads);
  });
});

describe('a transfer', () => {
  it('of hundreds of megabytes does not stay in the router', async () => {
    const size = 256 * MB;
    let sent = 0;
    const chunk = randomBytes(MB);
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss - before)), 20);
    const body = new Readable({
      read() {
        sent += MB;
        this.push(sent > size ? null : chunk);
      },
    });
    const put = await ask('PUT', at('large'), { body, headers: { 'Content-Length': String(size) } });
    expect(put).toMatchObject({ status: 201, body: { bytes: size } });
    const answer = await send('GET', at('large'));
    let got = 0;
    for await (const part of answer) got += (part as Buffer).length;
    clearInterval(watch);
    expect(got).toBe(size);
    expect(most).toBeLessThan(size / 2);
  });

  it('that the client leaves leaves nothing behind', async () => {
    await writeFile(inside('kept'), 'old');
    const socket = connect(Number(new URL(harness.url).port), '127.0.0.1');
    const head = `PUT /api/v1/sandboxes/box${at('kept')} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${ANN_KEY}\r\nContent-Length: 1000000\r\n\r\n`;
    socket.write(head + 'x'.repeat(1000));
    const parts = async (): Promise<string[]> =>
      (await readdir(runtime.folder)).filter((name) => name.startsWith('.kept.agenttier-'));
    await until(async () => (await parts()).length === 1, 'the upload to begin');
    socket.destroy();
    await until(async () => (await parts()).length === 0, 'the upload to be given up');
    expect(await readFile(inside('kept'), 'utf8')).toBe('old');
  });

  it('that is refused early is answered to a client that only listens at the end', async () => {
    const body = Readable.from([randomBytes(8 * MB), randomBytes(8 * MB)]);
    const headers = { 'If-None-Match': '*', 'Content-Length': String(16 * MB) };
    await writeFile(inside('there'), 'x');
    expect((await ask('PUT', at('there'), { headers, body })).status).toBe(412);
  });
});

describe('over the API server, with the port closed', () => {
  let other: Harness;
  beforeAll(async () => {
    podExec.onExec = relayInto(runtime);
    other = await Harness.start({ runtimePort: 1 }, { apiServer: podExec.url });
    await other.add({ name: 'box', uid: REAL_UID });
  });
  afterAll(() => other.stop());

  it('files, listings and archives are the same', async () => {
    const base = other.url;
    const content = randomBytes(3 * MB);
    const put = await ask('PUT', at('relayed/a%20b'), { base, body: content });
    expect(put).toMatchObject({ status: 201, headers: { 'x-agenttier-transport': 'exec' } });
    const got = await ask('GET', at('relayed/a%20b'), { base });
    expect(got.headers['x-agenttier-transport']).toBe('exec');
    expect(sha(got.bytes)).toBe(sha(content));
    const path = encodeURIComponent(inside('relayed'));
    const listed = await ask('GET', `/files?path=${path}`, { base });
    expect(listed.body).toMatchObject({ entries: [{ name: 'a b', size: 3 * MB }] });
    const zip = await ask('GET', `/archive?path=${path}`, { base });
    expect(zip.bytes.subarray(0, 2).toString()).toBe('PK');
    const missing = await ask('GET', at('relayed/none'), { base });
    expect(missing).toMatchObject({
      status: 404,
      body: { error: expect.stringContaining('does not exist') },
    });
    expect(podExec.execs.at(-1)?.command).toEqual(['/agenttier/bin/agenttier-runtime', 'relay']);
  });

  it('an archive that fails half-way is seen to fail', async () => {
    await mkdir(inside('shrinks'));
    await writeFile(inside('shrinks/big'), randomBytes(64 * MB));
    const path = `/archive?format=tar&path=${encodeURIComponent(inside('shrinks'))}`;
    const answer = await send('GET', path, { base: other.url });
    await truncate(inside('shrinks/big'), 10);
    await expect(buffer(answer)).rejects.toThrow('aborted');
  });

  it('says what is wrong when there is no relay', async () => {
    podExec.onExec = (exec) => exec.cannotStart();
    const refused = await ask('GET', at('x'), { base: other.url });
    expect(refused.status).toBe(502);
    podExec.onExec = (exec) => {
      exec.output('relay: no runtime at 127.0.0.1:9000', 2);
      exec.exit(255);
    };
    const failed = await ask('GET', at('x'), { base: other.url });
    expect(failed).toMatchObject({ status: 503, body: { error: expect.stringContaining('no runtime at') } });
  });
});
