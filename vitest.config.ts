// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { BROWSER } from './e2e/cluster/host/packages.ts';

const walks = (...names: string[]): string[] => names.map((name) => `e2e/walks/${name}.e2e.ts`);

/**
 * Walks that leave nobody in peace: they kill or reconfigure what all share, or fill the node. One that only needs a router
 * to kill or to set otherwise is none of them: see `ownRouter` in docs/testing.md.
 */
const ALONE = walks('failures', 'headroom', 'notify', 'prepull', 'quota', 'repair');

/** They kill operators, cordon the node for a moment or load it heavily; each has to bear that of the others. */
const ROUGH = walks('again', 'lifecycle', 'matrix', 'thirty');

/** They begin first, so that all workers end at about the same time. */
const LONGEST = walks(
  'matrix',
  'egress',
  'idle',
  'terminal',
  'openapi',
  'warm',
  'badInput',
  'harness',
  'volumes',
  'files',
);

const rank = ({ moduleId }: TestSpecification): number => {
  const place = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}`));
  return place < 0 ? LONGEST.length : place;
};

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

const WALK = {
  globalSetup: ['e2e/walks/globalSetup.ts'],
  testTimeout: 300_000,
  hookTimeout: 300_000,
};

/** Four levels of test, slowest last: see docs/testing.md. */
export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    reporters: process.env['VITEST_JSON']
      ? ['default', ['json', { outputFile: process.env['VITEST_JSON'] }]]
      : ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{crds,machinery,webhook,operator,gateway,router,plugin,sdk,e2e,images}/**/*.test.ts',
            'webui/{generator,pack}/**/*.test.ts',
          ],
          // A start of a process for each of hundreds of files would cost more than what they test.
          isolate: false,
          maxWorkers: availableParallelism() + 1,
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        // All that any test imports is known before the first: what is found later reloads the page under the others.
        optimizeDeps: { entries: ['webui/src/**/*.ts'] },
        test: {
          name: 'browser',
          include: ['webui/src/**/*.test.ts'],
          testTimeout: 20_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            // The distribution's browser; as root it has no sandbox of its own to enter.
            provider: playwright({
              launchOptions: { executablePath: BROWSER, args: ['--no-sandbox', '--disable-gpu'] },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        test: {
          name: 'looks',
          include: ['e2e/looks/**/*.look.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxConcurrency: 3,
        },
      },
      {
        test: {
          name: 'envtest',
          include: ['{crds,machinery,webhook,operator,gateway,router,plugin,e2e}/**/*.envtest.ts'],
          globalSetup: ['e2e/envtest/globalSetup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2, // each has an API server of its own
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['e2e/walks/**/*.e2e.ts'],
          exclude: [...ALONE, ...ROUGH],
          maxWorkers: 3,
          ...WALK,
        },
      },
      {
        test: {
          name: 'e2e-rough',
          include: ROUGH,
          maxWorkers: 3,
          ...WALK,
        },
      },
      {
        test: {
          name: 'e2e-alone',
          include: ALONE,
          fileParallelism: false,
          ...WALK,
        },
      },
    ],
  },
});
