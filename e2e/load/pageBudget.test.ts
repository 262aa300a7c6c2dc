// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { expect, it } from 'vitest';
import { scriptsOf } from './pageSize.ts';

const BUDGET_BYTES = 110_000;

/** The measured figure is that of the router; this one fails before somebody merges what is too large. */
it('the dashboard begins with 110 KB of JavaScript at most, and brings the terminal and the editor later', async () => {
  const root = join(import.meta.dirname, '../../webui');
  const built = (await build({
    root,
    logLevel: 'silent',
    build: { write: false },
  })) as Rolldown.RolldownOutput;
  const chunks = new Map(
    built.output.flatMap((one) => (one.type === 'chunk' ? [[one.fileName, one] as const] : [])),
  );
  const page = built.output.find(({ fileName }) => fileName === 'index.html');
  const html = page?.type === 'asset' ? String(page.source) : '';
  const first = new Set(scriptsOf(html).map((path) => path.replace(/^\//, '')));
  for (const file of first) for (const needed of chunks.get(file)?.imports ?? []) first.add(needed);
  const bytes = [...first].map((file) => gzipSync(chunks.get(file)?.code ?? '', { level: 9 }).length);
  const sum = bytes.reduce((total, one) => total + one, 0);
  expect(sum).toBeGreaterThan(20_000);
  expect(sum).toBeLessThanOrEqual(BUDGET_BYTES);
  const modules = [...first].flatMap((file) => chunks.get(file)?.moduleIds ?? []);
  expect(modules.filter((id) => /xterm|codemirror/.test(id))).toEqual([]);
});
