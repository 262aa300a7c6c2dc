// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine, replaceSection } from './admissionReport.ts';
import { type BenchReport, merged, section } from './benchReport.ts';
import { Bench, chosen } from './measurements.ts';
import { table } from './stats.ts';

/**
 * `make bench`: the figures of docs/performance.md.
 *
 * By REST alone it measures any router that speaks AgentTier's contract (`--api-url`, `--api-key`, `--template`).
 * With KUBECONFIG it adds what only the cluster can tell, and plain `kubectl exec` beside. `--only echo,files` measures
 * these again and keeps the rest of the last whole run.
 */
const { values } = parseArgs({
  options: {
    'api-url': { type: 'string', default: process.env['AGENTTIER_API_URL'] ?? '' },
    'api-key': { type: 'string', default: process.env['AGENTTIER_API_KEY'] ?? '' },
    namespace: { type: 'string', default: 'default' },
    template: { type: 'string', default: 'minimal-shell' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '10' },
    'warm-rounds': { type: 'string', default: '80' },
    calls: { type: 'string', default: '500' },
    'slow-calls': { type: 'string', default: '50' },
    transfers: { type: 'string', default: '3' },
    megabytes: { type: 'string', default: '200' },
    mebibytes: { type: 'string', default: '256' },
    terminals: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '10' },
    'rest-only': { type: 'boolean', default: false },
    out: { type: 'string', default: '.local/bench' },
    document: { type: 'string' },
  },
});

const target = {
  url: values['api-url'],
  key: values['api-key'],
  namespace: values.namespace,
  template: values.template,
};
const amounts = {
  rounds: Number(values.rounds),
  warmRounds: Number(values['warm-rounds']),
  calls: Number(values.calls),
  slowCalls: Number(values['slow-calls']),
  transfers: Number(values.transfers),
  megabytes: Number(values.megabytes),
  mebibytes: Number(values.mebibytes),
  terminals: Number(values.terminals),
  kills: Number(values.kills),
  minutes: Number(values.minutes),
};
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const measurements = chosen(values.only, values['rest-only']);
const facts = machine();
const at = new Date().toISOString();
const failed: { name: string; why: string }[] = [];
const bench = new Bench(target, amounts, values['rest-only']);

/** One that fails does not take the others with it. */
async function measure(): Promise<void> {
  for (const { name, run } of measurements) {
    const started = performance.now();
    try {
      await run(bench);
      say(`${name}: ${Math.round((performance.now() - started) / 1000)} s`);
    } catch (error) {
      failed.push({ name, why: error instanceof Error ? error.message : String(error) });
      say(`${name} failed: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
}

/** The last whole run of this machine, if there was one. */
function wholeRun(file: string): BenchReport | undefined {
  if (!existsSync(file)) return undefined;
  const known = JSON.parse(readFileSync(file, 'utf8')) as Partial<BenchReport>;
  return known.machine && known.failed ? (known as BenchReport) : undefined;
}

function write(): void {
  mkdirSync(values.out, { recursive: true });
  const file = join(values.out, 'bench.json');
  const run: BenchReport = {
    at,
    machine: facts,
    figures: bench.figures.map((one) => ({ ...one, at })),
    failed,
  };
  const names = measurements.map(({ name }) => name);
  const whole = values.only === undefined ? undefined : wholeRun(file);
  const report = whole === undefined ? run : merged(whole, run, names);
  // Some rows alone are no report: they would take the place of all the others.
  const complete = (values.only === undefined || whole !== undefined) && !values['rest-only'];
  const path = complete ? file : join(values.out, 'bench-part.json');
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`);
  if (complete && values.document !== undefined) replaceSection(values.document, section(report));
}

try {
  await measure();
} finally {
  write();
  process.stdout.write(`${table(bench.figures)}\n`);
  await bench.close();
}
if (failed.length > 0) process.exitCode = 1;
