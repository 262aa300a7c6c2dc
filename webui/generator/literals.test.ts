// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { literalsIn } from './literals.ts';

describe('words in templates', () => {
  it.each([
    ['html`<p>${this.say("a")}</p>`', []],
    ['html`<p>Hello ${name}</p>`', ['Hello']],
    ['html`<b title="More of it">${x}</b>`', ['More of it']],
    ['html`<i>${open ? html`<b class="x">deep</b>` : \'}\'}</i>`', ['deep']],
    ['const a = `no template of a page`', []],
    ['html`<button @click=${() => { go(); }}>A+</button>`', []],
  ])('%s shows %j', (source, words) => {
    expect(literalsIn(source)).toEqual(words);
  });

  /** Names and not sentences: the same in every language. */
  const NAMES = new Set(['AgentTier', 'Ctrl K', 'p50', 'p95', 'p99', 'https://', '1Gi']);
  const root = join(import.meta.dirname, '../src');
  const files = globSync(['elements/**/*.ts', 'parts/**/*.ts'], { cwd: root }).filter(
    (file) => !file.endsWith('.test.ts'),
  );

  it('are all in the map of texts', () => {
    const shown = files.flatMap((file) =>
      literalsIn(readFileSync(join(root, file), 'utf8'))
        .filter((words) => !NAMES.has(words))
        .map((words) => `${file}: ${words}`),
    );
    expect(files.length).toBeGreaterThan(50);
    expect(shown).toEqual([]);
  });
});
