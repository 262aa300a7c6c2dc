// SPDX-License-Identifier: Apache-2.0

/** How many tests of a level passed, failed, were skipped. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const emptyTally: Tally = { passed: 0, failed: 0, skipped: 0 };

export function addTallies(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/**
 * Reads a test level's report, and counts one more failure when the runner failed without naming a failed test (a
 * file that does not load, an unhandled error) or ran no test at all: neither may look like success.
 */
function withRunnerVerdict(tally: Tally, exitCode: number): Tally {
  const silent = exitCode !== 0 && tally.failed === 0;
  const empty = tally.passed + tally.failed === 0;
  return silent || empty ? { ...tally, failed: tally.failed + 1 } : tally;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

/** Tally of vitest's JSON report; `undefined` when it wrote none. */
export function vitestTally(report: string | undefined, exitCode: number): Tally {
  if (report === undefined) return { ...emptyTally, failed: 1 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
    report,
  ) as VitestReport;
  return withRunnerVerdict(
    { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests },
    exitCode,
  );
}

interface GoEvent {
  readonly Action: string;
  readonly Test?: string;
}

/** Tally of `go test -json`: one event a line; lines without a test name speak of packages and are not counted. */
export function goTally(lines: string, exitCode: number): Tally {
  let tally = emptyTally;
  for (const line of lines.split('\n')) {
    if (!line.startsWith('{')) continue;
    const { Action, Test } = JSON.parse(line) as GoEvent;
    if (Test === undefined) continue;
    if (Action === 'pass') tally = addTallies(tally, { passed: 1, failed: 0, skipped: 0 });
    if (Action === 'fail') tally = addTallies(tally, { passed: 0, failed: 1, skipped: 0 });
    if (Action === 'skip') tally = addTallies(tally, { passed: 0, failed: 0, skipped: 1 });
  }
  return withRunnerVerdict(tally, exitCode);
}
