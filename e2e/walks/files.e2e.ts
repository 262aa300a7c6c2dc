// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  apply,
  getJson,
  inSandbox,
  kubectl,
  minimalSandbox,
  ok,
  run,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';
import { small } from './sandboxes.ts';
import { ask, encoded, noise, open, sumOf, sumOfStream } from './transfers.ts';

const MB = 1024 * 1024;
const GB = 1024 * MB;

describe('files', () => {
  const namespace = walkNamespace('walk-files');
  const below = (name: string, verb: string): string =>
    `/sandboxes/${name}${verb}${verb.includes('?') ? '&' : '?'}namespace=${namespace()}`;
  const file = (path: string): string => below('box', `/files${encoded(path)}`);
  const shell = async (script: string): Promise<string> => ok(inSandbox('box', namespace(), script));

  it('begin with a sandbox', async () => {
    // What is in /tmp counts as memory.
    await ok(apply(minimalSandbox('box', small('640Mi')), namespace()));
    await untilPhase('box', namespace(), 'Running');
  });

  const there = async (size: number): Promise<void> => {
    const { stream, sum } = noise(size);
    const put = await ask('PUT', file('/workspace/sized'), {
      body: stream,
      headers: { 'Content-Length': String(size) },
    });
    expect(put).toMatchObject({ status: 201, body: { path: '/workspace/sized', bytes: size } });
    expect(put.headers['x-agenttier-transport']).toBe('runtime');
    const got = await open('GET', file('/workspace/sized'));
    expect(got.headers['content-length']).toBe(String(size));
    expect(await sumOfStream(got)).toEqual({ sum: sum(), size });
  };

  it.each([0, 1, 64 * 1024, 786_433, MB, 100 * MB])('of %i bytes go there and back', there);

  it('of 2 GiB go there and back, where there is room for them', async (context) => {
    const free = Number((await shell('df -Pk /workspace | tail -1')).split(/\s+/)[3]) * 1024;
    if (free < 6 * GB) context.skip(`only ${free} bytes are free`);
    await there(2 * GB);
    await ask('DELETE', file('/workspace/sized'));
  });

  it.each(['a b', "it's", 'say "hi"', 'two\r\nlines', '😀', '100%', '%2e%2e', '-rf', 'back\\slash', '$(id)'])(
    'named %j go there and back',
    async (name) => {
      const path = `/workspace/odd/${name}`;
      expect((await ask('PUT', file(path), { body: name })).status).toBe(201);
      const got = await ask('GET', file(path));
      expect(got.bytes.toString()).toBe(name);
      expect(got.headers['content-disposition']).not.toMatch(/[\r\n]/);
      const { body } = await ask('GET', below('box', '/files/?path=/workspace/odd'));
      expect(body.entries).toMatchObject([{ name, isDir: false, mode: '-rw-r--r--' }]);
      expect((await ask('DELETE', file(path))).status).toBe(204);
    },
  );

  it('belong to the user of the sandbox', async () => {
    await ask('PUT', file('/workspace/mine/file'), { body: 'x' });
    expect(await shell('stat -c %u /workspace/mine /workspace/mine/file; id -u')).toMatch(
      /^(\d+)\n\1\n\1\n$/,
    );
  });

  it('are not reached through links that lead out', async () => {
    await shell(
      'cd /workspace && ln -s /etc out && ln -s / root && ln -s ../../etc/passwd up && ln -s mine/file near',
    );
    for (const path of ['out/passwd', 'root/proc/self/environ', 'up']) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        // A link itself may go.
        if (method === 'DELETE' && path === 'up') continue;
        const refused = await ask(method, file(`/workspace/${path}`), method === 'PUT' ? { body: 'x' } : {});
        expect(refused, `${method} ${path}`).toMatchObject({ status: 403, body: { error: 'path_escape' } });
      }
    }
    expect((await ask('GET', file('/agenttier/run/token'))).body.error).toBe('path_escape');
    expect((await ask('GET', file('/workspace/near'))).bytes.toString()).toBe('x');
  });

  it('stay as they were when the disk is full', async () => {
    await ask('PUT', file('/tmp/keep'), { body: 'old' });
    const known = { 'Content-Length': String(400 * MB) };
    for (const headers of [known, { 'Transfer-Encoding': 'chunked' }]) {
      const full = await ask('PUT', file('/tmp/keep'), { body: noise(400 * MB).stream, headers });
      expect(full).toMatchObject({ status: 507, body: { error: 'no_space' } });
      expect((await ask('GET', file('/tmp/keep'))).bytes.toString()).toBe('old');
      expect(await shell('ls -A /tmp | grep -c agenttier- || true')).toBe('0\n');
    }
  });

  it('come as an archive that others can open', async () => {
    await shell(`mkdir -p /workspace/many/deep && cd /workspace/many && i=0
      while [ $i -lt 10000 ]; do echo $i > deep/$i; i=$((i+1)); done
      ln -s deep/7 link; printf x > 'odd "name"'; mkdir empty; chmod 750 deep/9`);
    const folder = await mkdtemp(join(tmpdir(), 'walk-files-'));
    try {
      for (const format of ['zip', 'tar.gz']) {
        const got = await ask('GET', below('box', `/archive?path=/workspace/many&format=${format}`));
        expect(got.status).toBe(200);
        await writeFile(join(folder, `a.${format}`), got.bytes);
      }
      const opened = await ok(run('python3', ['-c', OPEN_ARCHIVES, folder]));
      expect(opened.trim()).toBe('10004 None deep/7 0o120000 0o750 | 10004 deep/7');
      const hasInfoZip = (await run('sh', ['-c', 'command -v unzip'])).code === 0;
      if (hasInfoZip) {
        expect(await ok(run('unzip', ['-tq', join(folder, 'a.zip')]))).toContain('No errors detected');
      }
      const back = await open('GET', below('box', '/archive?path=/workspace/many&format=tar'));
      const again = await ask('PUT', below('box', '/archive?path=/workspace/again'), { body: back });
      expect(again).toMatchObject({ status: 200, body: { files: 10_002 } });
      expect(await shell('diff -r /workspace/many /workspace/again && echo same')).toBe('same\n');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('go through the API server where the runtime cannot be spoken to', async () => {
    const operator = ['--as', 'system:serviceaccount:agenttier:agenttier-operator'];
    await ok(
      kubectl(['annotate', 'pod', 'box-pod', 'agenttier.io/token-nonce-', '-n', namespace(), ...operator]),
    );
    await until('the other way to be taken', async () => {
      const { headers } = await ask('HEAD', file('/workspace/near'));
      return headers['x-agenttier-transport'] === 'exec';
    });
    const size = 20 * MB;
    const { stream, sum } = noise(size);
    const put = await ask('PUT', file('/workspace/relayed'), { body: stream });
    expect(put).toMatchObject({ status: 201, body: { bytes: size } });
    expect(put.headers['x-agenttier-transport']).toBe('exec');
    const got = await open('GET', file('/workspace/relayed'));
    expect(await sumOfStream(got)).toEqual({ sum: sum(), size });
    const zip = await ask('GET', below('box', '/archive?path=/workspace/mine'));
    expect(zip.bytes.subarray(0, 2).toString()).toBe('PK');
    expect((await ask('GET', file('/workspace/none'))).status).toBe(404);
  });

  it.each(['test-distroless:0.1.0', 'test-busybox:0.1.0'])('need nothing of the image %s', async (image) => {
    const template = await getJson(['clustersandboxtemplate', 'minimal-shell']);
    const repository = template.spec.image.repository as string;
    const registry = repository.slice(0, repository.lastIndexOf('/'));
    const name = image.slice(0, image.indexOf(':'));
    await ok(
      apply(minimalSandbox(name, `${small()}  image:\n    repository: ${registry}/${image}\n`), namespace()),
    );
    await untilPhase(name, namespace(), 'Running');
    const content = Buffer.from('no tar, no ls, no shell');
    const put = await ask('PUT', below(name, '/files/workspace/a/b'), { body: content });
    expect(put.status).toBe(201);
    const { body } = await ask('GET', below(name, '/files/?path=/workspace&depth=2'));
    expect(body.entries.map(({ path }: { path: string }) => path)).toEqual(
      expect.arrayContaining(['a', 'a/b']),
    );
    const zip = await ask('GET', below(name, '/archive?path=/workspace/a'));
    const back = await ask('PUT', below(name, '/archive?path=/workspace/c'), { body: zip.bytes });
    expect(back.body).toMatchObject({ files: 1, bytes: content.length });
    expect(sumOf((await ask('GET', below(name, '/files/workspace/c/b'))).bytes)).toBe(sumOf(content));
  });
});

/** Counts what Python finds, checks every sum, and looks at a link and at a mode. */
const OPEN_ARCHIVES = `
import sys, tarfile, zipfile
z = zipfile.ZipFile(sys.argv[1] + '/a.zip')
link, mode = z.getinfo('link'), z.getinfo('deep/9').external_attr >> 16
t = tarfile.open(sys.argv[1] + '/a.tar.gz')
print(len(z.namelist()), z.testzip(), z.read('link').decode(), oct((link.external_attr >> 16) & 0o170000), oct(mode & 0o777),
  '|', len(t.getnames()), t.getmember('link').linkname)
`;
