// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { different, packed, readPicture } from './picture.ts';

const root = join(import.meta.dirname, '../..');
const BASELINES = join(import.meta.dirname, 'baselines');
/** Where pictures that differ are put, with what differs. */
const FOUND = join(root, '.local/looks');
/** Version of the browser that the baselines were taken with. */
const BROWSER_OF = join(BASELINES, 'browser.txt');
/** So many pixels may differ: less than the smallest icon has. */
const ALLOWED = 40;

export const renews = process.env['AGENTTIER_LOOKS'] === 'renew';

export function rememberBrowser(version: string): void {
  if (renews) writeFileSync(BROWSER_OF, `${version}\n`);
}

/** What is wrong with a picture; undefined = it looks as it is to look. Where baselines are renewed, it becomes one. */
export function judge(name: string, bytes: Buffer, browser: string): string | undefined {
  const file = join(BASELINES, `${name}.png`);
  const [actual, drawn] = ['actual', 'difference'].map((kind) => join(FOUND, `${name}.${kind}.png`));
  const picture = readPicture(bytes);
  rmSync(actual as string, { force: true });
  rmSync(drawn as string, { force: true });
  if (!existsSync(file)) {
    if (!renews) return `${name} has no baseline. Look at it and keep it: npm run looks:renew`;
    return void writeFileSync(file, packed(picture));
  }
  const difference = different(readPicture(readFileSync(file)), picture);
  if (difference.pixels <= ALLOWED) return undefined;
  if (renews) return void writeFileSync(file, packed(picture));
  mkdirSync(FOUND, { recursive: true });
  writeFileSync(actual as string, bytes);
  writeFileSync(drawn as string, difference.drawn);
  return [
    `${name} looks different: ${difference.pixels} pixels are not those of ${relative(root, file)}.`,
    `See ${relative(root, drawn as string)} and ${relative(root, actual as string)}.`,
    'Is it meant? Then renew the baselines and commit them: npm run looks:renew',
    ...otherBrowser(browser),
  ].join('\n');
}

function otherBrowser(browser: string): string[] {
  const known = existsSync(BROWSER_OF) ? readFileSync(BROWSER_OF, 'utf8').trim() : '';
  if (known === browser) return [];
  return [
    `The baselines are of Chromium ${known} and this is ${browser}. Where nothing was changed and many pictures differ`,
    'a little, it is the browser: renew them in a commit of its own, before any change of pages.',
  ];
}
