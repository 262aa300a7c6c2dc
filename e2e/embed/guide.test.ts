// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { policyOf } from './policy.ts';

const root = join(import.meta.dirname, '../..');
const guide = readFileSync(join(root, 'docs/embedding.md'), 'utf8');

const shown = [...guide.matchAll(/<!-- (e2e\/embed\/\S+) -->\n```\w+\n([\s\S]*?)\n```\n/g)].map(
  ([, file = '', code]) => ({ file, code }),
);

describe('the guide to embedding', () => {
  it.each(shown)('shows $file as it is', ({ file, code }) => {
    const lines = readFileSync(join(root, file), 'utf8').trim().split('\n');
    expect(code).toBe(
      lines
        .filter((line) => !line.includes('SPDX-License-Identifier'))
        .join('\n')
        .trim(),
    );
  });

  it('shows every page of its folder', () => {
    const folders = readdirSync(import.meta.dirname, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
      .map(({ name }) => name);
    const files = shown.map(({ file }) => file);
    expect(folders.filter((name) => !files.some((file) => file.startsWith(`e2e/embed/${name}/`)))).toEqual(
      [],
    );
  });

  it('tells the policy that the pages are served with', () => {
    const [, told = ''] = /```\n(default-src[\s\S]*?)\n```/.exec(guide) ?? [];
    expect(told.replaceAll('\n', ' ')).toBe(policyOf('https://agenttier.example'));
  });
});
