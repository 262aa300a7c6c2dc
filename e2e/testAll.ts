// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ensureBrowser } from './cluster/host/packages.ts';
import {
  addTallies,
  emptyTally,
  failedFiles,
  goTally,
  type Tally,
  vitestTally,
  withSecondTry,
} from './tally.ts';

/**
 * `make test`: every level of test, cheapest first, and one closing line over all of them. A level that cannot run
 * counts as a failure: a green run means that everything was really tried.
 *
 * Arguments name the levels to run (`check unit go-test browser looks envtest e2e`); none means all.
 */

const root = join(import.meta.dirname, '..');
const results = join(root, '.local', 'test');

interface Level {
  readonly name: string;
  readonly run: () => Promise<Tally>;
}

function command(argv: readonly string[], options: { log?: string; cwd?: string } = {}): Promise<number> {
  const [program = '', ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}` },
      stdio: options.log === undefined ? 'inherit' : ['ignore', 'pipe', 'inherit'],
    });
    if (options.log !== undefined && child.stdout) child.stdout.pipe(createWriteStream(options.log));
    child.on('error', (error) => {
      console.error(`${program}: ${error.message}`);
      resolve(127);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

async function checks(): Promise<Tally> {
  let tally = emptyTally;
  for (const name of ['types', 'lint', 'format', 'generated']) {
    const code = await command(['npm', 'run', '--silent', `check:${name}`]);
    tally = addTallies(tally, { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 });
  }
  return tally;
}

/** Tests that passed only when their file was run once more: the summary names them, each is a bug to look for. */
const secondTries: string[] = [];

/** More failed files than these are no noise. */
const MOST_SECOND_TRIES = 2;

/**
 * One level. A file that fails is run once more by itself: on a node of two CPUs that runs a whole cluster, a neighbour's
 * burst can break a deadline, and that must not hide what the other thousands of tests say. Nothing is hidden by it
 * either: what needed it is named at the end.
 */
async function vitest(project: string): Promise<Tally> {
  const first = await runVitest(project, []);
  if (first.tally.failed === 0 || first.report === undefined) return first.tally;
  const failed = failedFiles(first.report);
  if (failed.length === 0 || failed.length > MOST_SECOND_TRIES) return first.tally;
  const again = await runVitest(
    project,
    failed.map(({ path }) => relative(root, path)),
  );
  if (again.tally.failed === 0) {
    secondTries.push(
      ...failed.flatMap(({ path, tests }) => tests.map((test) => `${relative(root, path)}: ${test}`)),
    );
  }
  return withSecondTry(first.tally, failed, again.tally);
}

async function runVitest(
  project: string,
  files: readonly string[],
): Promise<{ tally: Tally; report?: string | undefined }> {
  const file = join(results, `${project}${files.length > 0 ? '-again' : ''}.json`);
  rmSync(file, { force: true });
  const code = await command([
    'vitest',
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
    ...files,
  ]);
  const report = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  return { tally: vitestTally(report, code), report };
}

async function goTests(folder: string): Promise<Tally> {
  const log = join(results, `go-${folder.replaceAll('/', '-')}.jsonl`);
  const code = await command(['go', 'test', '-json', './...'], { cwd: join(root, folder), log });
  const tally = goTally(readFileSync(log, 'utf8'), code);
  console.log(`go test ${folder}: ${tally.passed} passed, ${tally.failed} failed`);
  if (tally.failed > 0) {
    const output = readFileSync(log, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { Output?: string }).Output ?? '')
      .join('');
    console.log(output.slice(-8000));
  }
  return tally;
}

/** Each element in a real browser. */
async function elements(): Promise<Tally> {
  await ensureBrowser();
  return vitest('browser');
}

/** Each page as it is built and served, against its picture. */
async function looks(): Promise<Tally> {
  await ensureBrowser();
  return vitest('looks');
}

/** First those that leave each other alone, then the rough ones among themselves, then one by one what bears no other. */
async function walks(): Promise<Tally> {
  let tally = emptyTally;
  for (const project of ['e2e', 'e2e-rough', 'e2e-alone']) tally = addTallies(tally, await vitest(project));
  return tally;
}

async function cluster(): Promise<Tally> {
  const wasUp = existsSync(join(root, '.local/env'));
  const up = await command(['node', 'e2e/cluster/up.ts']);
  const tally = up === 0 ? await walks() : { ...emptyTally, failed: 1 };
  if (wasUp && process.env['CI'] === undefined) return tally;
  const down = await command(['node', 'e2e/cluster/down.ts', '--verify']);
  return addTallies(tally, { passed: down === 0 ? 1 : 0, failed: down === 0 ? 0 : 1, skipped: 0 });
}

const levels: readonly Level[] = [
  { name: 'check', run: checks },
  { name: 'unit', run: () => vitest('unit') },
  {
    name: 'go-test',
    run: async () => addTallies(await goTests('images/runtime'), await goTests('tools/csi')),
  },
  { name: 'browser', run: elements },
  { name: 'looks', run: looks },
  { name: 'envtest', run: () => vitest('envtest') },
  { name: 'e2e', run: cluster },
];

mkdirSync(results, { recursive: true });
const wanted = process.argv.slice(2);
let total = emptyTally;
const lines: string[] = [];
for (const level of levels.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const started = Date.now();
  const tally = await level.run();
  total = addTallies(total, tally);
  const seconds = Math.round((Date.now() - started) / 1000);
  lines.push(
    `${level.name}: passed ${tally.passed}, failed ${tally.failed}, skipped ${tally.skipped} (${seconds} s)`,
  );
}
console.log(`\n${lines.join('\n')}`);
for (const test of secondTries) console.log(`passed at the second try only: ${test}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
