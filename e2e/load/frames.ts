// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright';
import { launch, openTerminal, signedIn } from './page.ts';
import { create, remove, type Target, untilStatus } from './rest.ts';
import { type Figure, figure } from './stats.ts';

const SECONDS = 15;
/** A hundred times a second ten kilobytes. */
const PRINT =
  'line=$(head -c 79 /dev/zero | tr \'\\0\' x); block=$(yes $line | head -n 125); while :; do echo "$block"; sleep 0.01; done\n';

/** What a page drew in a while. */
export interface Drawn {
  /** Milliseconds from each frame to the next. */
  readonly frames: readonly number[];
  /** Tasks that held the page for more than 50 ms. */
  readonly longTasks: readonly number[];
}

/** Runs in the page: draws for so long, scrolled from end to end when asked, and says how it went. */
export function watchFrames({ ms, scroll }: { ms: number; scroll: boolean }): Promise<Drawn> {
  const page = globalThis as unknown as {
    document: { scrollingElement: { scrollTop: number; scrollHeight: number; clientHeight: number } };
    requestAnimationFrame(draw: (now: number) => void): void;
  };
  const { scrollingElement: place } = page.document;
  const frames: number[] = [];
  const longTasks: number[] = [];
  const observer = new PerformanceObserver((list) =>
    longTasks.push(...list.getEntries().map(({ duration }) => duration)),
  );
  // Chromium's own kind of entry, which Node's types do not know.
  observer.observe({ entryTypes: ['longtask' as 'mark'] });
  return new Promise((resolve) => {
    let first: number | undefined;
    let last = 0;
    const draw = (now: number): void => {
      if (first === undefined) first = now;
      else frames.push(now - last);
      last = now;
      // Down in the first half of the time and up in the second.
      const part = Math.min(1, (now - first) / ms);
      const height = place.scrollHeight - place.clientHeight;
      if (scroll) place.scrollTop = height * (1 - Math.abs(1 - 2 * part));
      if (part < 1) return page.requestAnimationFrame(draw);
      observer.disconnect();
      resolve({ frames, longTasks });
    };
    page.requestAnimationFrame(draw);
  });
}

/** How a terminal draws what a program prints without end. */
export async function measureFrames(target: Target): Promise<Figure[]> {
  const name = `bench-frames-${Date.now().toString(36)}`;
  await create(target, name);
  const browser = await launch();
  try {
    await untilStatus(target, name, 'Running');
    const page = await signedIn(browser, target);
    await openTerminal(page, target, name);
    const received = await countReceived(page);
    await page.keyboard.type(PRINT);
    const deadline = performance.now() + 30_000;
    while (received() < 1_000_000) {
      if (performance.now() > deadline) throw new Error('the program does not print');
      await pause(100);
    }
    const before = received();
    const { frames } = await page.evaluate(watchFrames, { ms: SECONDS * 1000, scroll: false });
    const seconds = frames.reduce((sum, one) => sum + one, 0) / 1000;
    const megabytes = (received() - before) / 1_000_000 / seconds;
    const how = `terminal in the DOM, ${megabytes.toFixed(2)} MB/s came, ${SECONDS} s`;
    return [
      figure('frames a second while 1 MB/s prints', [frames.length / seconds], how, '/s'),
      figure('frames while 1 MB/s prints', frames, how),
    ];
  } finally {
    await browser.close();
    await remove(target, name);
  }
}

/** Counts the bytes of the page's WebSockets, from its next frame on. */
async function countReceived(page: Page): Promise<() => number> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  let bytes = 0;
  session.on('Network.webSocketFrameReceived', ({ response: { opcode, payloadData } }) => {
    bytes += opcode === 2 ? (payloadData.length * 3) / 4 : payloadData.length;
  });
  return () => bytes;
}
