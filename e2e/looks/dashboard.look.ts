// SPDX-License-Identifier: Apache-2.0
import { IN_USE } from '@agenttier/elements/testing/examples/index';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judge, rememberBrowser } from './baseline.ts';
import { barriers, overflow, pictureOf, raiseStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { VIEWS } from './views.ts';
import type { View } from './views.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await raiseStage();
  rememberBrowser(stage.browser);
});

afterAll(() => stage?.close());

/** What there is to say against a page as it is now. */
async function verdicts(page: Page, name: string): Promise<string[]> {
  const found = [judge(name, await pictureOf(page), stage.browser)].filter((one) => one !== undefined);
  const wide = await overflow(page);
  if (wide > 0) found.push(`${name} is wider than the window, by ${wide} pixels`);
  return [...found, ...(await barriers(page)).map((barrier) => `${name}: ${barrier}`)];
}

async function look(page: Page, { name, widths }: View): Promise<string[]> {
  const found: string[] = [];
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    found.push(...(await verdicts(page, `${name}-${theme}`)));
  }
  if (!widths) return found;
  await page.emulateMedia({ colorScheme: 'light' });
  for (const width of [360, 2560]) {
    await page.setViewportSize({ width, height: 800 });
    found.push(...(await verdicts(page, `${name}-${width}`)));
  }
  return found;
}

describe.concurrent('the dashboard looks right and has no barrier', () => {
  it.each(VIEWS)('$name', async (view) => {
    const { answers = IN_USE, instead = {}, terminal = '' } = view;
    const { page, complaints, close } = await stage.open(view.path, { answers, instead, terminal });
    try {
      await view.act?.(page);
      const found = await look(page, view);
      expect([...found, ...complaints()].join('\n')).toBe('');
    } finally {
      await close();
    }
  });
});
