// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright';
import { launch, openTerminal, signedIn } from './page.ts';
import { create, remove, type Target, untilStatus } from './rest.ts';
import { type Figure, figure, rate } from './stats.ts';

const SECONDS = 15;
/**
 * A block of 10,000 bytes, as a terminal ends its lines, for each hundredth of a second that the clock says has passed: what
 * was late is made up for. A pause between blocks alone printed less, by the time that the blocks took.
 */
export const PRINT = [
  "line=$(head -c 78 /dev/zero | tr '\\0' x)",
  'block=$(yes $line | head -n 125)',
  'clock() { read up rest < /proc/uptime; now=${up%.*}${up#*.}; }',
  'clock; start=$now; sent=0',
  'while :; do clock; while [ $sent -lt $((now - start)) ]; do echo "$block"; sent=$((sent + 1)); done; sleep 0.01; done',
].join('; ');

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
    await page.keyboard.type(`${PRINT}\n`);
    const deadline = performance.now() + 30_000;
    while (received() < 1_000_000) {
      if (performance.now() > deadline) throw new Error('the program does not print');
      await pause(100);
    }
    const before = received();
    const started = performance.now();
    const { frames } = await page.evaluate(watchFrames, { ms: SECONDS * 1000, scroll: false });
    const came = rate(received() - before, performance.now() - started);
    const seconds = frames.reduce((sum, one) => sum + one, 0) / 1000;
    const how = `terminal in the DOM, ${came.toFixed(2)} MB/s came, ${SECONDS} s`;
    return [
      figure('output that came while frames were counted', [came], `asked for: 1 MB/s, ${SECONDS} s`, 'MB/s'),
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
  session.on('Network.webSocketFrameReceived', ({ response }) => {
    bytes += payloadBytes(response);
  });
  return () => bytes;
}

/** DevTools gives the payload of a binary frame in base64, and any other as text. */
export const payloadBytes = ({
  opcode,
  payloadData,
}: {
  readonly opcode: number;
  readonly payloadData: string;
}): number => Buffer.byteLength(payloadData, opcode === 2 ? 'base64' : 'utf8');
