// SPDX-License-Identifier: Apache-2.0
import { gzipSync } from 'node:zlib';
import type { Target } from './rest.ts';
import { type Figure, figure } from './stats.ts';

/** The scripts that a page begins with. */
export const scriptsOf = (html: string): string[] =>
  [...html.matchAll(/<(?:script|link)\b[^>]*?(?:src|href)="([^"]+\.js)"/g)].flatMap(([, path]) => path ?? []);

/** The modules that a bundled module needs before it runs. Those of `import()` come when they are wanted. */
export const importsOf = (code: string): string[] =>
  [...code.matchAll(/(?:\bimport|\bfrom)\s*["'`](\.{1,2}\/[^"'`]+\.js)["'`]/g)].flatMap(
    ([, path]) => path ?? [],
  );

/** All that the dashboard's page loads before anything can run, as the router serves it. */
export async function measurePageSize(target: Target): Promise<Figure> {
  const page = new URL('/', target.url);
  const answer = await fetch(page);
  const waiting = scriptsOf(await answer.text()).map((path) => new URL(path, page).href);
  if (waiting.length === 0) throw new Error(`the page at ${page.href} has no scripts`);
  const seen = new Set<string>();
  let bytes = 0;
  for (const url of waiting) {
    if (seen.has(url)) continue;
    seen.add(url);
    const script = await fetch(url);
    if (!script.ok) throw new Error(`${url} answered ${script.status}`);
    const code = await script.text();
    bytes += gzipSync(code, { level: 9 }).length;
    waiting.push(...importsOf(code).map((path) => new URL(path, url).href));
  }
  const method = `gzip -9 of the ${seen.size} modules that the page imports before it runs`;
  return figure('initial JavaScript of the dashboard', [bytes / 1000], method, 'KB');
}
