// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apiKeySecret, newApiKey } from './apiKey.ts';
import { scratchArchive, tar, tarHeader } from './archive.ts';
import { baseDockerfile, baseKind } from './bases.ts';
import { requireImages } from './chart.ts';
import { dnsObjects } from './dns.ts';
import { formatEnv, parseEnv } from './env.ts';
import { parseBases } from './images.ts';
import { queueHasListener } from './policyAgent.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agenttier-install-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('archives', () => {
  it('are read by tar', () => {
    const file = join(folder, 'a.tar');
    const content = Buffer.alloc(700, 'x');
    writeFileSync(
      file,
      tar([
        { path: 'bin/', mode: 0o755 },
        { path: 'bin/tool', mode: 0o755, content },
      ]),
    );
    expect(execFileSync('tar', ['tf', file], { encoding: 'utf8' })).toBe('bin/\nbin/tool\n');
    expect(execFileSync('tar', ['xOf', file, 'bin/tool'])).toEqual(content);
  });

  it('refuse a name that does not fit', () =>
    expect(() => tarHeader({ path: 'x'.repeat(101), mode: 0 })).toThrow(/100 bytes/));

  it('hold an image whose layer has the digest that its configuration names', () => {
    const program = join(folder, 'program');
    writeFileSync(program, '#!/bin/true');
    const image = { name: 'local/x:1', entrypoint: ['/x'], files: { '/usr/bin/x': program } };
    const file = join(folder, 'image.tar');
    writeFileSync(file, scratchArchive(image));
    const read = (path: string): Buffer => execFileSync('tar', ['xOf', file, path]);
    const [manifest] = JSON.parse(read('manifest.json').toString()) as [
      { Config: string; RepoTags: string[] },
    ];
    const config = JSON.parse(read(manifest.Config).toString()) as { rootfs: { diff_ids: string[] } };
    const layer = read('layer.tar');
    expect(config.rootfs.diff_ids).toEqual([`sha256:${createHash('sha256').update(layer).digest('hex')}`]);
    expect(manifest.RepoTags).toEqual(['local/x:1']);
    expect(scratchArchive(image)).toEqual(scratchArchive(image));
  });
});

describe('bases', () => {
  it.each([
    ['node:24-bookworm-slim', 'node'],
    ['debian:bookworm-slim', 'debian'],
    ['registry.example/library/alpine:3', 'busybox'],
    ['busybox@sha256:0', 'busybox'],
    ['registry.example/distroless/static', 'distroless'],
    ['golang:1.24', undefined],
  ])('%s is replaced by %s', (reference, kind) => expect(baseKind(reference)).toBe(kind));

  it('are found in a Dockerfile by its build arguments', () => {
    expect(
      parseBases(
        '# x\nARG BASE=node:24-bookworm-slim\nARG VERSION=1\nFROM ${BASE}\nARG LATER=golang:1\n',
        'router',
      ),
    ).toEqual({
      BASE: 'node',
    });
    expect(() => parseBases('ARG BASE=golang:1.24\nFROM ${BASE}\n', 'odd')).toThrow(
      /images\/odd\/Dockerfile.*golang:1.24/,
    );
  });

  it('bring Node only where it is wanted', () => {
    expect(baseDockerfile('node')).toContain('/usr/local/bin/node');
    expect(baseDockerfile('debian')).not.toContain('/usr/local/bin/node');
  });

  it('must have given the images of the chart', () => {
    const names = ['webhook', 'operator', 'gateway', 'router', 'runtime'].map((name) => ({ name }));
    expect(() => requireImages(names)).not.toThrow();
    expect(() => requireImages(names.slice(1))).toThrow(/images\/webhook/);
  });
});

describe('the administrator key', () => {
  it('is known to the cluster by its hash alone', () => {
    const key = newApiKey();
    expect(key).toMatch(/^atk_[\w-]{43}$/);
    const secret = apiKeySecret(key, '2026-01-01T00:00:00Z');
    expect(JSON.stringify(secret)).not.toContain(key);
    const hash = createHash('sha256').update(key).digest('hex');
    expect(secret).toMatchObject({ metadata: { name: `agenttier-apikey-${hash.slice(0, 40)}` } });
    const { data } = secret as { data: { record: string } };
    expect(JSON.parse(Buffer.from(data.record, 'base64').toString())).toMatchObject({
      keyHash: hash,
      isAdmin: true,
    });
  });
});

describe('.local/env', () => {
  it('is read back as it was written, by us and by a shell', () => {
    const values = { KUBECONFIG: "/home/o'neil/my dir/kubeconfig", AGENTTIER_API_KEY: 'atk_$x`y' };
    const text = formatEnv(values, '/b in');
    expect(parseEnv(text)).toEqual(values);
    writeFileSync(join(folder, 'env'), text);
    const script = `. ${folder}/env; printf '%s\\n' "$KUBECONFIG" "$AGENTTIER_API_KEY" "$PATH"`;
    const said = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\n');
    expect(said.slice(0, 2)).toEqual(Object.values(values));
    expect(said[2]).toMatch(/^\/b in:/);
  });
});

describe('addons', () => {
  it('give DNS the label and the port that NetworkPolicies name', () => {
    const text = JSON.stringify(dnsObjects('x'));
    expect(text).toContain('"k8s-app":"kube-dns"');
    expect(text).toContain('"containerPort":53');
  });

  it.each([
    ['  100  3321     0 2   128     0     0        4  1\n', true],
    ['    7  3321     0 2   128     0     0      100  1\n', false],
    ['', false],
  ])('see the listener of the queue in %j', (table, listens) =>
    expect(queueHasListener(table)).toBe(listens),
  );
});
