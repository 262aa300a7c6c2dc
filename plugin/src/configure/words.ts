// SPDX-License-Identifier: Apache-2.0
import { CommandError } from '../context/failure.ts';

const WORD = /(?:[^\s'"\\]|\\[\s\S]|'[^']*'|"(?:[^"\\]|\\[\s\S])*")+/g;
const PART = /\\([\s\S])|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|([^\s'"\\]+)/g;

/** Words as a shell splits them, with its quotes; nothing is expanded. */
export function splitWords(flag: string, text: string): string[] {
  const words = [...text.matchAll(WORD)].map(([word]) => word);
  if (text.replaceAll(WORD, '').trim() !== '') {
    throw new CommandError(`${flag}: a quote in ${JSON.stringify(text)} is not closed`);
  }
  if (words.length === 0) throw new CommandError(`${flag} needs a command`);
  return words.map((word) => word.replaceAll(PART, meaning));
}

function meaning(_: string, ...parts: readonly unknown[]): string {
  const [escaped, single, double, plain] = parts as readonly (string | undefined)[];
  return escaped ?? single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? plain ?? '';
}
