// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { failedFiles, goTally, vitestTally, withSecondTry } from './tally.ts';

describe('vitestTally', () => {
  const report = (passed: number, failed: number, pending: number) =>
    JSON.stringify({
      numPassedTests: passed,
      numFailedTests: failed,
      numPendingTests: pending,
      numTodoTests: 0,
    });

  it.each([
    ['a clean run', report(5, 0, 0), 0, { passed: 5, failed: 0, skipped: 0 }],
    ['a failed test', report(4, 1, 0), 1, { passed: 4, failed: 1, skipped: 0 }],
    ['a runner that failed without a failed test', report(5, 0, 0), 1, { passed: 5, failed: 1, skipped: 0 }],
    ['a run of no test', report(0, 0, 0), 0, { passed: 0, failed: 1, skipped: 0 }],
    ['a skip', report(1, 0, 2), 0, { passed: 1, failed: 0, skipped: 2 }],
    ['no report', undefined, 0, { passed: 0, failed: 1, skipped: 0 }],
  ])('%s', (_, text, code, tally) => {
    expect(vitestTally(text, code)).toEqual(tally);
  });
});

describe('a second try', () => {
  const testResults = [
    { name: '/a.ts', status: 'passed', assertionResults: [{ status: 'passed', fullName: 'a' }] },
    {
      name: '/b.ts',
      status: 'failed',
      assertionResults: [
        { status: 'passed', fullName: 'b one' },
        { status: 'failed', fullName: 'b two' },
      ],
    },
    { name: '/c.ts', status: 'failed', assertionResults: [] },
  ];
  const failed = failedFiles(JSON.stringify({ testResults }));
  const first = { passed: 2, failed: 1, skipped: 0 };

  it('is for the files that failed, also those that did not load', () => {
    expect(failed.map(({ path, tests }) => [path, tests])).toEqual([
      ['/b.ts', ['b two']],
      ['/c.ts', []],
    ]);
  });

  it.each([
    ['counts when it passes', { passed: 3, failed: 0, skipped: 0 }, { passed: 4, failed: 0, skipped: 0 }],
    ['counts when it fails', { passed: 1, failed: 1, skipped: 0 }, { passed: 2, failed: 1, skipped: 0 }],
  ])('%s', (_, second, tally) => {
    expect(withSecondTry(first, failed, second)).toEqual(tally);
  });
});

describe('goTally', () => {
  it('counts tests and not packages', () => {
    const lines = [
      { Action: 'run', Test: 'TestA' },
      { Action: 'pass', Test: 'TestA' },
      { Action: 'fail', Test: 'TestB' },
      { Action: 'fail' },
    ].map((event) => JSON.stringify(event));
    expect(goTally(lines.join('\n'), 1)).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  it('counts a build that failed', () => {
    expect(goTally('{"Action":"fail"}\nFAIL x [build failed]\n', 2)).toEqual({
      passed: 0,
      failed: 1,
      skipped: 0,
    });
  });
});
