// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { chromium } from 'playwright';
import type { Browser, Page } from 'playwright';
import { build } from 'vite';
import { NOW } from '../../webui/src/testing/examples/index.ts';
import { pages } from '../../router/src/pages/pages.ts';
import { BROWSER, ensureBrowser } from '../cluster/host/packages.ts';
import { answerBy, typeInTerminals } from './answering.ts';
import type { Given } from './answering.ts';

const root = join(import.meta.dirname, '../..');
const file = createRequire(import.meta.url).resolve;

/** The font of all pictures, of one version: system fonts differ from machine to machine. */
const FONT = readFileSync(file('@fontsource-variable/inter/files/inter-latin-wght-normal.woff2'), 'base64');
const AXE = readFileSync(file('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

export interface Shown {
  readonly page: Page;
  /** Errors of scripts, what the page's security policy forbade, and questions that no example answers. */
  readonly complaints: () => string[];
  readonly close: () => Promise<void>;
}

export interface Stage {
  /** Version of the browser. */
  readonly browser: string;
  readonly open: (path: string, given: Given & { readonly terminal?: string }) => Promise<Shown>;
  readonly close: () => Promise<void>;
}

/** The dashboard as it is built and as the router serves it, with its security policy, in a browser. */
export async function raiseStage(): Promise<Stage> {
  await ensureBrowser();
  const folder = mkdtempSync(join(tmpdir(), 'agenttier-looks-'));
  await build({ root: join(root, 'webui'), logLevel: 'warn', build: { outDir: folder, emptyOutDir: true } });
  const app = express();
  app.use(pages({ folder, frameAncestors: [] }));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const args = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-3d-apis',
    '--disable-lcd-text',
    '--force-color-profile=srgb',
  ];
  const browser = await chromium.launch({ executablePath: BROWSER, args });
  return {
    browser: browser.version(),
    open: (path, given) => open(browser, origin, path, given),
    close: async () => {
      await browser.close();
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function open(
  browser: Browser,
  origin: string,
  path: string,
  given: Given & { readonly terminal?: string },
): Promise<Shown> {
  const context = await browser.newContext({
    baseURL: origin,
    viewport: { width: 1280, height: 800 },
    colorScheme: 'light',
    reducedMotion: 'reduce',
    locale: 'en-GB',
    timezoneId: 'UTC',
  });
  await context.clock.setFixedTime(NOW);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy|TrustedHTML|TrustedScript/.test(message.text()))
      complaints.push(message.text());
  });
  const unknown = await answerBy(page, given);
  await typeInTerminals(page, given.terminal ?? '');
  await page.goto(path, { waitUntil: 'domcontentloaded' });
  await page.evaluate(wearFont, FONT);
  return {
    page,
    complaints: () => [...complaints, ...unknown.map((operation) => `nothing answers ${operation}`)],
    close: () => context.close(),
  };
}

async function wearFont(base64: string): Promise<void> {
  const bytes = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
  const font = new FontFace('Looks', bytes, { weight: '100 900' });
  document.fonts.add(await font.load());
  const { style } = document.documentElement;
  style.setProperty('--agenttier-font', "Looks, 'DejaVu Sans'");
  style.setProperty('--agenttier-mono', "'DejaVu Sans Mono'");
}

/** A page that is unchanged for so long has nothing more to come. */
const RESTS_MS = 3_000;

/** A picture of the page that does not fit, as it is when it does not change any more; undefined = it fits. */
export async function misfit(page: Page, fits: (picture: Buffer) => boolean): Promise<Buffer | undefined> {
  // A dialog stands in the window and not on the page.
  const fullPage = (await page.locator('dialog:modal').count()) === 0;
  const take = (): Promise<Buffer> => page.screenshot({ fullPage, animations: 'disabled', caret: 'hide' });
  const deadline = Date.now() + 20_000;
  let last = await take();
  let since = Date.now();
  while (!fits(last)) {
    // Parts that come late leave a page alone for a while: only what stays so is how it looks.
    if (Date.now() - since > RESTS_MS) return last;
    if (Date.now() > deadline) throw new Error('the page does not come to rest');
    await page.waitForTimeout(100);
    const next = await take();
    if (!next.equals(last)) since = Date.now();
    last = next;
  }
  return undefined;
}

/** What is wrong for people who cannot see or use a mouse, by axe's rules for WCAG 2.2 AA; empty = nothing. */
export async function barriers(page: Page, rules: readonly string[] = RULES): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
  return page.evaluate(async (rules) => {
    const { axe } = globalThis as unknown as {
      axe: { run: (of: Document, options: object) => Promise<{ violations: Violation[] }> };
    };
    interface Violation {
      readonly id: string;
      readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
    }
    const { violations } = await axe.run(document, { runOnly: rules });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html} ${node.failureSummary ?? ''}`),
    );
  }, rules);
}

/** A page that is wider than the window has to be moved to and fro for every line: WCAG 2.2, 1.4.10. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
