// SPDX-License-Identifier: Apache-2.0
import { chromium } from 'playwright';
import type { Browser, Page } from 'playwright';
import { BROWSER, ensureBrowser } from '../cluster/host/packages.ts';
import { create, remove, type Target, timed, untilStatus } from './rest.ts';
import { type Figure, figure } from './stats.ts';

const THROTTLE = 4;

/** The dashboard in a browser: the first card on a slow machine, and a key in its terminal. */
export async function measurePage(
  target: Target,
  { loads, keys }: { loads: number; keys: number },
): Promise<Figure[]> {
  const name = `bench-page-${Date.now().toString(36)}`;
  await create(target, name);
  const browser = await launch();
  try {
    await untilStatus(target, name, 'Running');
    const page = await signedIn(browser, target);
    return [
      figure(
        'first card on screen',
        await firstCards(page, loads),
        `Chromium, CPU ${THROTTLE}× slower, nothing cached, from the start of loading`,
      ),
      figure(
        'key echo in the page',
        await keyEchoes(page, target, { name, keys }),
        'Chromium, drawn in the DOM, from keydown until the screen holds the character, looked at each 4 ms',
      ),
    ];
  } finally {
    await browser.close();
    await remove(target, name);
  }
}

/** A browser as on a machine without a graphics card: WebGL would be computed, so terminals are drawn in the DOM. */
export async function launch(): Promise<Browser> {
  await ensureBrowser();
  const args = ['--no-sandbox', '--disable-gpu', '--disable-3d-apis'];
  return chromium.launch({ executablePath: BROWSER, args });
}

/** The first page of the dashboard, with its first card. */
export async function signedIn(browser: Browser, target: Target): Promise<Page> {
  const context = await browser.newContext({
    baseURL: target.url,
    viewport: { width: 1280, height: 800 },
  });
  const page = await context.newPage();
  await page.goto('/');
  await page.getByLabel('API key').fill(target.key);
  await page.getByRole('button', { name: 'Use key' }).click();
  await page.locator('agenttier-sandbox-card').first().waitFor();
  return page;
}

async function firstCards(page: Page, loads: number): Promise<number[]> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  await session.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE });
  const values: number[] = [];
  for (let load = 0; load < loads; load += 1) {
    values.push(
      await timed(async () => {
        await page.reload({ waitUntil: 'commit' });
        await page.locator('agenttier-sandbox-card').first().waitFor();
      }),
    );
  }
  await session.send('Emulation.setCPUThrottlingRate', { rate: 1 });
  await session.detach();
  return values;
}

/** By its address: of many cards only those in sight are drawn. */
export async function openTerminal(page: Page, target: Target, name: string): Promise<void> {
  await page.goto(`/sandboxes/${target.namespace}/${name}/terminal`);
  await page.getByText('Connected').waitFor();
}

async function keyEchoes(
  page: Page,
  target: Target,
  { name, keys }: { name: string; keys: number },
): Promise<number[]> {
  await openTerminal(page, target, name);
  await page.keyboard.type('exec cat > /dev/null\n');
  const terminal = page.locator('agenttier-terminal');
  const values: number[] = [];
  for (let key = -5; key < keys; key += 1) {
    const character = String.fromCharCode(65 + ((key + 26) % 26));
    const echo = terminal.evaluate(watchKey, character);
    await terminal.evaluate(() => undefined); // the watch stands: calls of a page are answered in order
    await page.keyboard.press(character);
    const value = await echo;
    if (key >= 0) values.push(value);
    if ((key + 6) % 26 === 0) await page.keyboard.press('Enter');
  }
  return values;
}

/** Runs in the page, and looks by timers, between which the terminal has all the time that it needs. */
function watchKey(element: unknown, character: string): Promise<number> {
  const terminal = element as { readonly text: string };
  const count = (): number => terminal.text.split(character).length;
  const page = globalThis as unknown as {
    addEventListener(type: string, listen: () => void, options: object): void;
  };
  return new Promise((resolve, reject) => {
    const before = count();
    const listen = (): void => {
      const started = performance.now();
      const look = (): void => {
        const waited = performance.now() - started;
        if (count() > before) resolve(waited);
        else if (waited > 20_000) reject(new Error(`no echo of ${character} in the page`));
        else setTimeout(look, 0);
      };
      look();
    };
    page.addEventListener('keydown', listen, { capture: true, once: true });
  });
}
