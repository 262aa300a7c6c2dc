// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { differing, drawDifference, packed, readPicture } from './picture.ts';

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

const fileOf = (name: string): string => join(BASELINES, `${name}.png`);

/** Is it as it is to look? */
export function fits(name: string, bytes: Buffer): boolean {
  const file = fileOf(name);
  if (!existsSync(file)) return false;
  return differing(readPicture(readFileSync(file)), readPicture(bytes)) <= ALLOWED;
}

/** What is to be said about a picture that does not fit; undefined where it is the new baseline. */
export function objection(name: string, bytes: Buffer, browser: string): string | undefined {
  const file = fileOf(name);
  const after = readPicture(bytes);
  if (renews) {
    writeFileSync(file, packed(after));
    return undefined;
  }
  if (!existsSync(file)) return `${name} has no baseline. Look at it and keep it: npm run looks:renew`;
  const before = readPicture(readFileSync(file));
  const [actual, drawn] = [join(FOUND, `${name}.actual.png`), join(FOUND, `${name}.difference.png`)];
  mkdirSync(FOUND, { recursive: true });
  writeFileSync(actual, bytes);
  writeFileSync(drawn, drawDifference(before, after));
  return [
    `${name} looks different: ${differing(before, after)} pixels are not those of ${relative(root, file)}.`,
    `See ${relative(root, drawn)} and ${relative(root, actual)}.`,
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
