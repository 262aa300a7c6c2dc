// SPDX-License-Identifier: Apache-2.0
import type { Language } from './languages.ts';

const BY_ENDING: readonly (readonly [language: Language, endings: string])[] = [
  ['yaml', 'yaml yml'],
  ['javascript', 'js mjs cjs jsx'],
  ['typescript', 'ts mts cts tsx'],
  ['json', 'json jsonl ipynb map webmanifest'],
  ['python', 'py pyi'],
  ['shell', 'sh bash zsh bashrc profile'],
  ['go', 'go'],
  ['rust', 'rs'],
  ['toml', 'toml'],
  ['ini', 'ini cfg conf properties env gitconfig editorconfig'],
  ['css', 'css scss less'],
  ['html', 'html htm vue svelte'],
  ['xml', 'xml svg'],
  ['sql', 'sql'],
  ['dockerfile', 'dockerfile containerfile'],
];

/** What a file of this name is written in, as far as a name tells. */
export function languageOf(name: string): Language {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return BY_ENDING.find(([, endings]) => endings.split(' ').includes(ending))?.[0] ?? 'text';
}
