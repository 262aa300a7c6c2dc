// SPDX-License-Identifier: Apache-2.0
import { chromium } from 'playwright';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll } from 'vitest';
import { BROWSER, ensureBrowser } from '../cluster/host/packages.ts';
import { PREVIEW_DOMAIN } from '../cluster/install/previews.ts';
import { apiKey, apiUrl } from './harness.ts';

export interface Tab {
  readonly page: Page;
  /** What the page complained of: errors of scripts, and what its security policy forbade. */
  readonly complaints: string[];
}

export interface TabOptions {
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
  /** Default: the installed one. */
  readonly router?: string;
}

/** A browser for the walks of a file; each tab is a person of its own, with nothing remembered. */
export function walkBrowser(): (options?: TabOptions) => Promise<Tab> {
  let browser: Browser | undefined;

  beforeAll(async () => {
    await ensureBrowser();
    // Names below localhost are this machine's own, and the router may be reached by another address of it.
    const previews = `--host-resolver-rules=MAP *.${PREVIEW_DOMAIN} ${new URL(apiUrl).hostname}`;
    const args = ['--no-sandbox', '--disable-gpu', previews];
    browser = await chromium.launch({ executablePath: BROWSER, args });
  });

  afterAll(() => browser?.close());

  return async ({ theme = 'light', width = 1280, router = apiUrl } = {}) => {
    if (browser === undefined) throw new Error('the browser has not started');
    const viewport = { width, height: 800 };
    const context = await browser.newContext({ baseURL: router, colorScheme: theme, viewport });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy|TrustedHTML|TrustedScript/.test(message.text()))
        complaints.push(message.text());
    });
    return { page, complaints };
  };
}

/** Opens the dashboard as the administrator of the installation. */
export async function signIn(page: Page, path = '/', key = apiKey): Promise<void> {
  await page.goto(path);
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Use key' }).click();
}

/** The lines that a terminal on the page shows. */
export const screenText = (page: Page): Promise<string> =>
  page.locator('agenttier-terminal').evaluate((element) => (element as unknown as { text: string }).text);
