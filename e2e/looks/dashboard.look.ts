// SPDX-License-Identifier: Apache-2.0
import { IN_USE } from '../../webui/src/testing/examples/index.ts';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fits, objection, rememberBrowser } from './baseline.ts';
import { barriers, misfit, overflow, raiseStage } from './stage.ts';
import type { Stage } from './stage.ts';
import { VIEWS } from './views.ts';
import type { View } from './views.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await raiseStage();
  rememberBrowser(stage.browser);
});

afterAll(() => stage?.close());

/** What there is to say against how a page looks now. */
async function verdicts(page: Page, name: string): Promise<string[]> {
  const picture = await misfit(page, (taken) => fits(name, taken));
  const wrong = picture && objection(name, picture, stage.browser);
  const wide = await overflow(page);
  return [
    ...(wrong === undefined ? [] : [wrong]),
    ...(wide > 0 ? [`${name} is wider than the window, by ${wide} pixels`] : []),
  ];
}

/** Rules that have to do with the theme or the width alone; all others are asked once. */
const OF_THEME = ['color-contrast', 'link-in-text-block'];
const OF_WIDTH = ['target-size', 'scrollable-region-focusable'];

async function look(page: Page, { name, widths }: View): Promise<string[]> {
  const found = [...(await verdicts(page, `${name}-light`)), ...(await barriers(page))];
  await page.emulateMedia({ colorScheme: 'dark' });
  found.push(...(await verdicts(page, `${name}-dark`)), ...(await barriers(page, OF_THEME)));
  if (!widths) return found;
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 2560, height: 800 });
  found.push(...(await verdicts(page, `${name}-2560`)));
  await page.setViewportSize({ width: 360, height: 800 });
  found.push(...(await verdicts(page, `${name}-360`)), ...(await barriers(page, OF_WIDTH)));
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
