// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../telemetry/log.ts';
import { until } from '../testing/until.ts';
import { createFileSource } from './file.ts';
import { issueAuthority } from './issue.ts';
import type { Pair } from './issue.ts';
import { CertificateHolder, firstCertificate } from './source.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tls-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const pair = (name: string): Promise<Pair> =>
  issueAuthority(name, { from: Date.now() - 1000, until: Date.now() + 3_600_000 });

/** Writes a version of a mounted Secret the way the kubelet does: a new folder, and `..data` swung over to it. */
async function mount(version: string, { cert, key }: Pair): Promise<void> {
  const target = join(folder, `..${version}`);
  await mkdir(target);
  await writeFile(join(target, 'tls.crt'), cert);
  await writeFile(join(target, 'tls.key'), key);
  await symlink(`..${version}`, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
}

const source = (pollMs: number) =>
  createFileSource({
    certFile: join(folder, 'tls.crt'),
    keyFile: join(folder, 'tls.key'),
    log: silentLogger,
    pollMs,
  });

describe('file source', () => {
  it('follows a mounted Secret without polling', async () => {
    const [one, two] = [await pair('one'), await pair('two')];
    await mount('v1', one);
    await symlink('..data/tls.crt', join(folder, 'tls.crt'));
    await symlink('..data/tls.key', join(folder, 'tls.key'));
    const files = source(3_600_000);
    await files.load();
    expect(files.current()).toMatchObject(one);
    const stop = new AbortController();
    const running = files.run(stop.signal);
    const changes: string[] = [];
    files.onChange(({ cert }) => changes.push(cert));
    await mount('v2', two);
    await until(() => files.current()?.cert === two.cert);
    expect(changes).toEqual([two.cert]);
    stop.abort();
    await running;
  });

  it('keeps the old pair while key and certificate do not belong together', async () => {
    const [one, two] = [await pair('one'), await pair('two')];
    await writeFile(join(folder, 'tls.crt'), one.cert);
    await writeFile(join(folder, 'tls.key'), one.key);
    const files = source(20);
    await files.load();
    await writeFile(join(folder, 'tls.crt'), two.cert);
    await expect(files.load()).rejects.toThrow('is not the key of');
    const stop = new AbortController();
    const running = files.run(stop.signal);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(files.current()).toMatchObject(one);
    await writeFile(join(folder, 'tls.key'), two.key);
    await until(() => files.current()?.cert === two.cert);
    stop.abort();
    await running;
  });

  it('fails when the files are missing', async () => {
    await expect(source(1000).load()).rejects.toThrow('ENOENT');
  });
});

const certificate = (cert: string) => ({ cert, key: 'k', ca: '' });

describe('certificate holder', () => {
  it('announces changes only', () => {
    const holder = new CertificateHolder();
    const seen: string[] = [];
    const stop = holder.onChange(({ cert }) => seen.push(cert));
    for (const cert of ['a', 'a', 'b']) holder.set(certificate(cert));
    stop();
    holder.set(certificate('c'));
    expect(seen).toEqual(['a', 'b']);
  });

  it('lets one wait for the first certificate', async () => {
    const holder = new CertificateHolder();
    const never = new AbortController().signal;
    const waiting = firstCertificate(holder, never);
    holder.set(certificate('a'));
    expect((await waiting).cert).toBe('a');
    expect((await firstCertificate(holder, never)).cert).toBe('a');
    const reason = new Error('stopping');
    await expect(firstCertificate(new CertificateHolder(), AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
