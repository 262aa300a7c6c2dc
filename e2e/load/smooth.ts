// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import type { CDPSession, Page } from 'playwright';
import { watchFrames } from './frames.ts';
import { withThousand } from './listing.ts';
import { launch, signedIn } from './page.ts';
import { call, type Target } from './rest.ts';
import { type Figure, figure } from './stats.ts';

const SCROLL_MS = 20_000;
const CHANGES_A_SECOND = 20;
const HOW = `1,000 sandboxes, ${CHANGES_A_SECOND} changes a second`;

/** The list with a thousand sandboxes while they change: how it scrolls, and what it keeps in memory. */
export const measureSmooth = (target: Target, minutes: number): Promise<Figure[]> =>
  withThousand(target, async (ids) => {
    const browser = await launch();
    const changes = new Changes(target, ids);
    try {
      const page = await signedIn(browser, target);
      // Throws when the page hears of none: the figures would be those of a list at rest.
      await page.waitForResponse((answer) => new URL(answer.url()).pathname === '/api/v1/sandboxes');
      await page.waitForResponse((answer) => new URL(answer.url()).pathname === '/api/v1/sandboxes');
      const figures = await scrolled(page, 'cards');
      await page.getByRole('button', { name: 'Table' }).click();
      await page.locator('.row.one').first().waitFor();
      figures.push(...(await scrolled(page, 'rows')));
      figures.push(...(await grown(page, minutes)));
      await changes.end();
      return figures;
    } finally {
      await changes.end().catch(() => undefined);
      await browser.close();
    }
  });

async function scrolled(page: Page, what: string): Promise<Figure[]> {
  const { frames, longTasks } = await page.evaluate(watchFrames, { ms: SCROLL_MS, scroll: true });
  return [
    figure(`frames, 1,000 ${what} scrolled while things change`, frames, HOW),
    figure(
      `long tasks, 1,000 ${what} scrolled`,
      longTasks.length > 0 ? longTasks : [0],
      `${HOW}, over 50 ms`,
    ),
  ];
}

/** Steady means: no more than at the start, but for what a page keeps of its own. */
async function grown(page: Page, minutes: number): Promise<Figure[]> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const start = await held(session);
  const looks = [start];
  for (let minute = 0; minute < minutes; minute += 1) {
    await pause(60_000);
    looks.push(await held(session));
  }
  const over = (of: keyof Held) => looks.slice(1).map((one) => (one[of] / start[of] - 1) * 100);
  const how = `${HOW}, each minute of ${minutes}, garbage collected`;

  const of = (get: (one: Held) => number): number[] => looks.map(get);
  const figures = [
    figure(
      'memory of the page',
      of(({ heap }) => heap / 2 ** 20),
      how,
      'MiB',
    ),
    figure(
      'nodes of the page',
      of(({ nodes }) => nodes),
      how,
      'nodes',
    ),
  ];
  if (minutes < 1) return figures;
  return [
    ...figures,
    figure('growth of memory in the page', over('heap'), how, '%'),
    figure('growth of nodes in the page', over('nodes'), how, '%'),
  ];
}

interface Held {
  readonly heap: number;
  readonly nodes: number;
}

async function held(session: CDPSession): Promise<Held> {
  await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  const of = (name: string): number => metrics.find((one) => one.name === name)?.value ?? Number.NaN;
  return { heap: of('JSHeapUsedSize'), nodes: of('Nodes') };
}

/** Changes one after the other, at an even rate, until it is ended. */
class Changes {
  readonly #ending = new AbortController();
  readonly #done: Promise<void>;

  constructor(target: Target, ids: readonly string[]) {
    this.#done = this.#run(target, ids);
    this.#done.catch(() => undefined); // told by end()
  }

  /** Rejects with what went wrong on the way: figures without changes would say too much. */
  end(): Promise<void> {
    this.#ending.abort();
    return this.#done;
  }

  async #run(target: Target, ids: readonly string[]): Promise<void> {
    const { signal } = this.#ending;
    for (let at = 0; !signal.aborted; at += 1) {
      const path = `/sandboxes/${ids[at % ids.length]}?namespace=${target.namespace}`;
      const due = pause(1000 / CHANGES_A_SECOND);
      // Something that the list says: of what nobody is shown, the stream tells nothing.
      const autoResume = Math.floor(at / ids.length) % 2 === 0;
      await call(target, 'PATCH', path, { autoResume });
      await due;
    }
  }
}
