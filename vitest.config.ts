// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { BROWSER } from './e2e/cluster/host/packages.ts';

/**
 * Walks that others would feel: they kill or reconfigure what all share, or fill the node. One that only needs a router to
 * kill or to set otherwise is none of them: see `ownRouter` in docs/testing.md.
 */
const ALONE = [
  'data',
  'failures',
  'headroom',
  'lifecycle',
  'matrix',
  'notify',
  'prepull',
  'quota',
  'repair',
  'volumes',
].map((name) => `e2e/walks/${name}.e2e.ts`);

const WALK = {
  globalSetup: ['e2e/walks/globalSetup.ts'],
  testTimeout: 300_000,
  hookTimeout: 300_000,
};

/** Four levels of test, slowest last: see docs/testing.md. */
export default defineConfig({
  test: {
    reporters: process.env['VITEST_JSON']
      ? ['default', ['json', { outputFile: process.env['VITEST_JSON'] }]]
      : ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{crds,machinery,webhook,operator,gateway,router,plugin,sdk,e2e,images}/**/*.test.ts',
            'webui/generator/**/*.test.ts',
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
          exclude: ALONE,
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
