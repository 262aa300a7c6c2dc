// SPDX-License-Identifier: Apache-2.0

interface Template {
  readonly text: string;
  /** Index behind its closing backtick. */
  readonly end: number;
}

/** What stands in a template literal itself; what is put into it becomes a `\0`. Templates within go to `found`. */
function templateAt(source: string, start: number, found: string[]): Template {
  let text = '';
  let at = start;
  while (at < source.length && source[at] !== '`') {
    if (source.startsWith('${', at)) {
      at = expressionEnd(source, at + 2, found);
      text += '\0';
      continue;
    }
    if (source[at] === '\\') at++;
    text += source[at++] ?? '';
  }
  return { text, end: at + 1 };
}

/** Index behind the brace that closes an expression. */
function expressionEnd(source: string, start: number, found: string[]): number {
  let depth = 1;
  let at = start;
  while (at < source.length && depth > 0) {
    const char = source[at++];
    if (char === '{') depth++;
    if (char === '}') depth--;
    if (char === "'" || char === '"') at = stringEnd(source, at, char);
    if (char === '`') at = nested(source, at, found);
  }
  return at;
}

function nested(source: string, at: number, found: string[]): number {
  const { text, end } = templateAt(source, at, found);
  if (/\b(html|svg)$/.test(source.slice(0, at - 1))) found.push(text);
  return end;
}

function stringEnd(source: string, start: number, quote: string): number {
  let at = start;
  while (at < source.length && source[at] !== quote) at += source[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Attributes that people read or hear. */
const SPOKEN = /\s(?:aria-label|title|placeholder|alt)="([^"\0]*)"/g;

/** Words that templates of a source show by themselves, and that no other language could replace. */
export function literalsIn(source: string): readonly string[] {
  const found: string[] = [];
  const begin = /\b(?:html|svg)`/g;
  for (let match = begin.exec(source); match; match = begin.exec(source)) {
    const { text, end } = templateAt(source, begin.lastIndex, found);
    found.push(text);
    begin.lastIndex = end;
  }
  return found.flatMap((text) => {
    const spoken = [...text.matchAll(SPOKEN)].map(([, value = '']) => value);
    const between = text
      .replaceAll(/<!--[\s\S]*?-->/g, '')
      .replaceAll(/<[^>]*>/g, '\0')
      .split('\0');
    return [...spoken, ...between].map((one) => one.trim()).filter((one) => /\p{L}{2}/u.test(one));
  });
}
