// SPDX-License-Identifier: Apache-2.0
import { homedir } from 'node:os';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { cacheFolder } from '../cluster/host/cache.ts';
import { account } from '../cluster/host/account.ts';
import { ensurePrograms, programPath } from '../cluster/install/binaries.ts';
import { machine, replaceSection } from './admissionReport.ts';
import { startScaleCluster } from './scale/cluster.ts';
import { type Step, measureAt } from './scale/measure.ts';
import { bundleOperator, OperatorProcess } from './scale/operatorProcess.ts';
import { type ScaleReport, section } from './scale/report.ts';
import { Fleet } from './scale/sandboxes.ts';
import { bindVolumes } from './scale/volumes.ts';

/**
 * `make bench-scale`: how the operator bears numbers. Starts an etcd, an API server, a scheduler, kwok's fake nodes and
 * one operator of its own, and leaves nothing behind but its report in `--out` and, with `--document`, in that document.
 */
const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '100,1000,5000' },
    out: { type: 'string', default: '.local/bench' },
    document: { type: 'string' },
  },
});
const sizes = values.sizes.split(',').map(Number);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** A node bears this many pods here; kwok asks for no more than its place in the API. */
const PODS_PER_NODE = 500;

async function kwokProgram(): Promise<string> {
  const owner = account(process.env);
  const place = {
    root: resolve(import.meta.dirname, '../..'),
    cache: cacheFolder(process.env, owner.home || homedir()),
    owner,
  };
  await ensurePrograms(place, ['kwok'], say);
  return programPath(place, 'kwok');
}

const folder = resolve(values.out);
mkdirSync(folder, { recursive: true });
const facts = machine();
const program = await bundleOperator(join(folder, 'bundle'));
const cluster = await startScaleCluster(
  await kwokProgram(),
  Math.max(2, Math.ceil((sizes.at(-1) ?? 0) / PODS_PER_NODE)),
);
const stop = new AbortController();
const logFile = join(folder, 'scale-operator.log');
let operator = await OperatorProcess.start(program, cluster.operatorKubeconfig, logFile);
try {
  const binding = bindVolumes(cluster.client, stop.signal);
  const fleet = await Fleet.start(cluster.client, stop.signal);
  const bench = { cluster, fleet, program, logFile };
  const steps: Step[] = [];
  while (!(await operator.isReady())) await new Promise((again) => setTimeout(again, 50));
  let from = 0;
  for (const to of sizes) {
    const measured = await measureAt(bench, operator, { from, to });
    ({ operator } = measured);
    steps.push(measured.step);
    say(`measured at ${to} sandboxes`);
    from = to;
  }
  const report: ScaleReport = { at: new Date().toISOString(), machine: facts, steps };
  writeFileSync(join(folder, 'scale.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(folder, 'scale.md'), `${section(report)}\n`);
  if (values.document !== undefined) replaceSection(values.document, section(report));
  process.stdout.write(`${section(report)}\n`);
  stop.abort();
  await binding;
} finally {
  stop.abort();
  await operator.stop();
  await cluster.client.close();
  await cluster.plane.stop();
}
