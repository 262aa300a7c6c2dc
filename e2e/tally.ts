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

interface FileReport {
  readonly testResults: readonly {
    /** Absolute path. */
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** A test file with a failure in it, and which tests those were; none when the file itself did not load. */
export interface FailedFile {
  readonly path: string;
  readonly tests: readonly string[];
  readonly tally: Tally;
}

/** The files of vitest's JSON report that failed. */
export function failedFiles(report: string): FailedFile[] {
  const { testResults } = JSON.parse(report) as FileReport;
  return testResults
    .filter(({ status }) => status === 'failed')
    .map(({ name, assertionResults }) => {
      const withStatus = (...wanted: string[]) =>
        assertionResults.filter(({ status }) => wanted.includes(status));
      return {
        path: name,
        tests: withStatus('failed').map(({ fullName }) => fullName),
        tally: {
          passed: withStatus('passed').length,
          failed: withStatus('failed').length,
          skipped: withStatus('pending', 'todo', 'skipped').length,
        },
      };
    });
}

/** The tally of a level whose failed files have been run once more: what they gave then counts instead. */
export function withSecondTry(first: Tally, failed: readonly FailedFile[], second: Tally): Tally {
  const before = failed.reduce((sum, { tally }) => addTallies(sum, tally), emptyTally);
  // A file that did not load counted as one failure without a test of its own.
  const stray = Math.max(0, failed.length > 0 ? first.failed - before.failed : 0);
  return {
    passed: first.passed - before.passed + second.passed,
    failed: Math.max(0, first.failed - before.failed - stray) + second.failed,
    skipped: first.skipped - before.skipped + second.skipped,
  };
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
