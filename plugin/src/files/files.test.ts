// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from '@agenttier/machinery/testing/scriptedServer';
import { beforeEach, describe, expect, it } from 'vitest';
import { fakeHost, runWith } from '../testing/fakeHost.ts';
import { scriptedRouter } from '../testing/scriptedRouter.ts';
import { placeBelow } from './copy.ts';
import { lineOf } from './progress.ts';

const FILES = '/api/v1/sandboxes/demo/files';
const router = scriptedRouter();
let folder: string;
const entry = (name: string, type = 'file', more: object = {}) => ({
  name,
  type,
  isDir: type === 'dir',
  size: 3,
  mode: '-rw-r--r--',
  modifiedAt: Math.floor(Date.now() / 1000) - 65,
  ...more,
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agenttier-files-'));
  router.server.on('GET', FILES, (response, request) => {
    const deep = request.query.get('depth') !== null;
    const entries = deep
      ? [entry('b.txt', 'file', { path: 'sub/b.txt' }), entry('link', 'symlink', { path: 'link' })]
      : [entry('a.txt'), entry('sub', 'dir'), entry('link', 'symlink', { target: 'a.txt' })];
    json({ path: request.query.get('path') ?? '/workspace', entries })(response, request);
  });
  router.server.on('PUT', /files/, json({ path: '/x', bytes: 1 }, 201));
});

describe('files', () => {
  it('lists the workspace or a folder', async () => {
    const { out } = await router.run('files', 'ls', 'demo', '--no-headers');
    expect(out).toMatch(/^a.txt +file +3 +6\ds\nsub +dir +3 +6\ds\nlink -> a.txt +symlink +3 +6\ds\n$/);
    await router.run('files', 'ls', 'demo', '/etc');
    expect(router.asked().map(([call]) => call)).toEqual([
      'GET /sandboxes/demo/files?namespace=team',
      'GET /sandboxes/demo/files?namespace=team&path=%2Fetc',
    ]);
  });

  it('uploads with the length, under any name', async () => {
    const local = join(folder, 'a b%#?ü.txt');
    await writeFile(local, 'hello');
    expect((await router.run('files', 'upload', 'demo', local, '/tmp/')).out).toBe(
      'uploaded 5 bytes to /tmp/a b%#?ü.txt\n',
    );
    const [sent] = router.server.requestsTo(/%25/);
    expect(sent?.path).toBe(`${FILES}/tmp/a%20b%25%23%3F%C3%BC.txt`);
    expect(sent?.headers).toMatchObject({ 'content-length': '5', 'x-api-key': 'atk_secret' });
    expect(sent?.body).toBe('hello');
    expect((await router.run('files', 'upload', 'demo', join(folder, 'none'))).err).toMatch(
      /none cannot be read: ENOENT/,
    );
  });

  it('writes from a flag and from standard input, below the workspace', async () => {
    expect((await router.run('files', 'write', 'demo', 'n.txt', '--data', 'x')).out).toBe(
      'wrote /workspace/n.txt\n',
    );
    const host = router.host();
    host.streams.in.end('from stdin');
    await router.runOn(host, 'files', 'write', 'demo', '/tmp/s');
    expect(router.server.requests.filter(({ method }) => method === 'PUT').map(({ body }) => body)).toEqual([
      'x',
      'from stdin',
    ]);
    expect((await router.run('files', 'upload', 'demo', '-')).code).toBe(2);
  });

  it('downloads as a whole or not at all', async () => {
    router.server.on(
      'GET',
      `${FILES}/workspace/r.bin`,
      (response) => void response.end('result'),
      (response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('part');
        setImmediate(() => response.destroy());
      },
    );
    const local = join(folder, 'r.bin');
    expect((await router.run('files', 'download', 'demo', 'r.bin', folder)).out).toBe(
      `downloaded 6 bytes to ${local}\n`,
    );
    expect((await router.run('files', 'download', 'demo', 'r.bin', folder)).code).toBe(1);
    expect(await readFile(local, 'utf8')).toBe('result');
    expect(await readdir(folder)).toEqual(['r.bin']);
  });

  it('prints, moves, makes and deletes', async () => {
    router.server
      .on('GET', /files/, (response) => void response.end('content'))
      .on('POST', FILES, json({}))
      .on('DELETE', /files/, (response) => void response.writeHead(204).end());
    expect((await router.run('files', 'cat', 'demo', '/a')).out).toBe('content');
    await router.run('files', 'mkdir', 'demo', '/d');
    await router.run('files', 'mv', 'demo', '/a', '/b', '--overwrite');
    expect((await router.run('files', 'rm', 'demo', '-r', '/d')).out).toBe('deleted /d\n');
    expect(router.asked().slice(1)).toEqual([
      ['POST /sandboxes/demo/files?namespace=team', { op: 'mkdir', path: '/d' }],
      ['POST /sandboxes/demo/files?namespace=team', { op: 'move', path: '/a', to: '/b', overwrite: true }],
      ['DELETE /sandboxes/demo/files/d?namespace=team&recursive=true'],
    ]);
  });

  it('archives a folder', async () => {
    router.server.on('GET', '/api/v1/sandboxes/demo/archive', (response) => void response.end('PK'));
    expect((await router.run('files', 'archive', 'demo', folder)).out).toBe(
      `downloaded 2 bytes to ${join(folder, 'demo.zip')}\n`,
    );
    expect((await router.run('files', 'archive', 'demo', '-', '--path', '/src', '--format', 'tar')).out).toBe(
      'PK',
    );
    expect(router.asked().at(-1)?.[0]).toBe(
      'GET /sandboxes/demo/archive?namespace=team&path=%2Fsrc&format=tar',
    );
  });
});

describe('cp', () => {
  it('copies a folder in, with permissions', async () => {
    await mkdir(join(folder, 'src/sub'), { recursive: true });
    await writeFile(join(folder, 'src/run.sh'), '1', { mode: 0o755 });
    await writeFile(join(folder, 'src/sub/b'), '2', { mode: 0o600 });
    expect((await router.run('cp', join(folder, 'src'), 'demo:/w/src')).out).toBe(
      'copied 2 files to /w/src\n',
    );
    const sent = router.server.requests.map(
      ({ path, query }) => `${path.replace(FILES, '')} ${query.get('mode')}`,
    );
    expect(sent.sort()).toEqual(['/w/src/run.sh 0755', '/w/src/sub/b 0600']);
  });

  it('copies a file and a folder out, without links', async () => {
    router.server
      .on('GET', '/api/v1/sandboxes/demo/stat', (response, request) => {
        const type = request.query.get('path') === '/w' ? 'dir' : 'file';
        json({ path: '/', entry: entry('x', type) })(response, request);
      })
      .on('GET', /files/, (response, request) => void response.end(request.path.replace(FILES, '')));
    expect((await router.run('cp', 'demo:/w', join(folder, 'out'))).out).toBe(
      `copied 1 file to ${folder}/out\n`,
    );
    expect(await readFile(join(folder, 'out/sub/b.txt'), 'utf8')).toBe('/w/sub/b.txt');
    await router.run('cp', 'demo:/w/one', folder);
    expect((await stat(join(folder, 'one'))).isFile()).toBe(true);
  });

  it.each([[['cp', 'a', 'b']], [['cp', 'demo:a', 'demo:b']]])('refuses %j', async (args) => {
    expect((await router.run(...args)).code).toBe(2);
  });

  it.each(['../x', 'a/../../x', '..', 'a\u0000b', '/../x'])('writes %j nowhere', (below) => {
    expect(() => placeBelow('/tmp/target', below)).toThrow('outside');
  });
});

describe('progress', () => {
  it('shows share and speed, and is shown on a terminal only', async () => {
    expect(lineOf({ name: 'x', bytes: 512, total: 1024, ms: 1000 })).toBe(
      'x [############------------] 50%  512 B  512 B/s',
    );
    expect(lineOf({ name: 'x', bytes: 1536, total: undefined, ms: 0 })).toBe('x  1.5 KiB');
    await writeFile(join(folder, 'f'), 'hello');
    const variables = { AGENTTIER_API_URL: router.server.access().server, AGENTTIER_API_KEY: 'atk_secret' };
    const seen = fakeHost({ variables, interactive: true });
    await runWith(seen, 'files', 'upload', 'demo', join(folder, 'f'), '/f', '-n', 'team');
    expect(seen.streams.err.text).toContain('f [########################] 100%');
    expect((await router.run('files', 'upload', 'demo', join(folder, 'f'), '/f')).err).toBe('');
  });
});
