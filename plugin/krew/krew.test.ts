// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { pack } from './archive.ts';

describe('the archive for krew', () => {
  it('holds the program with what it imports, and the manifest fits it', async () => {
    const dist = await mkdtemp(join(tmpdir(), 'agenttier-krew-'));
    for (const name of ['kubectl-agenttier.js', 'client-1a2b.js', 'kubectl-agenttier.js.map']) {
      await writeFile(join(dist, name), '#!/usr/bin/env node\n', { mode: 0o755 });
    }
    const [archive = '', manifest = ''] = await pack({
      dist,
      version: '1.2.3',
      base: 'https://example.com/v1.2.3/',
    });
    const { stdout } = await promisify(execFile)('tar', ['-tzf', archive]);
    expect(stdout.trim().split('\n')).toEqual(['client-1a2b.js', 'kubectl-agenttier.js']);
    const { metadata, spec, ...rest } = parse(await readFile(manifest, 'utf8'));
    expect(rest).toEqual({ apiVersion: 'krew.googlecontainertools.github.com/v1alpha2', kind: 'Plugin' });
    // Krew's own rules: the name is that of the file, the version is semantic with a v, short descriptions stay short.
    expect(metadata).toEqual({ name: 'agenttier' });
    expect(spec.version).toMatch(/^v\d+\.\d+\.\d+/);
    expect(spec.shortDescription.length).toBeLessThanOrEqual(50);
    expect(spec.platforms).toHaveLength(1);
    const [platform] = spec.platforms;
    expect(platform).toMatchObject({
      uri: 'https://example.com/v1.2.3/agenttier-1.2.3.tar.gz',
      sha256: createHash('sha256')
        .update(await readFile(archive))
        .digest('hex'),
      bin: 'kubectl-agenttier.js',
    });
    expect(platform.selector.matchExpressions).toEqual([
      { key: 'os', operator: 'In', values: ['linux', 'darwin'] },
    ]);
  });

  it('is not made of nothing', async () => {
    const dist = await mkdtemp(join(tmpdir(), 'agenttier-krew-'));
    await expect(pack({ dist, version: '1.2.3', base: 'https://x' })).rejects.toThrow('bundle it first');
  });
});
