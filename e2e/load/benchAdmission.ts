// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CLUSTER_GOVERNANCE_POLICIES, POLICY_NAME } from '@agenttier/crds/meta/resources';
import { createKubeClient, type KubeClient } from '@agenttier/machinery/kube/client';
import { CUSTOM_RESOURCE_DEFINITIONS, type KubeObject, NAMESPACES } from '@agenttier/machinery/kube/resource';
import { startControlPlane } from '../envtest/controlPlane.ts';
import { installCrds } from '../envtest/crds.ts';
import {
  addTemplates,
  createOne,
  fill,
  makeTemplates,
  measureCreates,
  measureHandlers,
  removeTemplates,
  TWIN,
} from './admissionLoad.ts';
import { type AdmissionReport, machine, section, writeSection } from './admissionReport.ts';
import { bundled, startProcess, stopProcess } from './bundledProcess.ts';
import { cappedNamespace, measureBurst } from './quotaBurst.ts';
import { twinDefinition } from './sandboxTwin.ts';
import { type Figure, figure } from './stats.ts';
import { INSTALL_NAMESPACE, metricOf, type Replica, startReplicas, stopReplicas } from './webhookReplicas.ts';

/**
 * `make bench-admission`: what admission costs. Starts an etcd, an API server and two replicas of the webhook of its own,
 * without a node, and leaves nothing behind but its report in `--out` and, with `--document`, in that document.
 */
const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '10' },
    sizes: { type: 'string', default: '10,1000,10000' },
    templates: { type: 'string', default: '200' },
    out: { type: 'string', default: '.local/bench' },
    document: { type: 'string' },
  },
});
const load = { perSecond: Number(values.rate), seconds: Number(values.seconds) };
const sizes = values.sizes.split(',').map(Number);
const templates = Number(values.templates);
const NAMESPACE = 'bench';
const MIB = 1024 * 1024;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function prepare(client: KubeClient): Promise<void> {
  await installCrds(client, join(import.meta.dirname, '../../crds'));
  await client.create(CUSTOM_RESOURCE_DEFINITIONS, undefined, twinDefinition());
  for (const name of [INSTALL_NAMESPACE, NAMESPACE])
    await client.create(NAMESPACES, undefined, { metadata: { name } });
  await makeTemplates(client);
  const spec = {
    maxCpu: '8',
    maxMemory: '32Gi',
    maxStorage: '100Gi',
    maxTimeout: '24h',
    maxIdleTimeout: '8h',
    approvedRegistries: ['ghcr.io/acme', 'docker.io/library', 'quay.io/acme'],
    allowedTemplates: ['bench-base', 'bench-root'],
  };
  const policy = { metadata: { name: POLICY_NAME }, spec } as KubeObject;
  await client.create(CLUSTER_GOVERNANCE_POLICIES, undefined, policy);
}

async function memory(replicas: readonly Replica[], label: string): Promise<Figure> {
  const bytes = await Promise.all(
    replicas.map((replica) => metricOf(replica, 'process_resident_memory_bytes')),
  );
  const amounts = bytes.map((value) => (value ?? Number.NaN) / MIB);
  return figure(`resident memory of a webhook replica, ${label}`, amounts, 'its own /metrics', 'MiB');
}

const CPU_METHOD = 'CPU seconds of both replicas over the creates of this run; one mean value';

async function cpuSeconds(replicas: readonly Replica[]): Promise<number> {
  const seconds = await Promise.all(
    replicas.map((replica) => metricOf(replica, 'process_cpu_seconds_total')),
  );
  return seconds.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

/** Both numbers of templates at one number of sandboxes. Answers how many sandboxes there are afterwards. */
async function measureAt(
  client: KubeClient,
  replicas: readonly Replica[],
  existing: number,
  figures: Figure[],
): Promise<number> {
  const [replica] = replicas;
  if (replica === undefined) throw new Error('there is no replica');
  let count = existing;
  for (const more of [0, templates - 1]) {
    await addTemplates(client, more);
    const label = `${existing} sandboxes, ${more + 1} ${more === 0 ? 'template' : 'templates'}`;
    const at = { namespace: NAMESPACE, label, rounds: 4 };
    figures.push(...(await measureHandlers(client, replica, at, load)));
    const before = await cpuSeconds(replicas);
    const creates = await measureCreates(client, at, load);
    const spent = ((await cpuSeconds(replicas)) - before) * 1000;
    figures.push(...creates.figures);
    figures.push(
      figure(`CPU of the webhooks for one create, ${label}`, [spent / creates.created], CPU_METHOD),
    );
    count += creates.created;
    say(`measured at ${label}`);
    await removeTemplates(client, more);
  }
  figures.push(await memory(replicas, `${existing} sandboxes`));
  return count;
}

async function measure(client: KubeClient, replicas: readonly Replica[]): Promise<AdmissionReport> {
  const report = { at: new Date().toISOString(), machine: machine(), perSecond: load.perSecond };
  const figures: Figure[] = [];
  // Compilers and connections warm up on both ways first.
  for (let warm = 0; warm < 50; warm += 1) await createOne(client, TWIN, NAMESPACE);
  let count = await fill(client, NAMESPACE, { from: 0, wanted: 0 });
  for (const size of sizes) {
    count = await fill(client, NAMESPACE, { from: count, wanted: size });
    count = await measureAt(client, replicas, count, figures);
  }
  await cappedNamespace(client, 'bench-capped', 1_000_000);
  const at = { namespace: 'bench-capped', label: `${count} sandboxes, under a cap`, rounds: 4 };
  figures.push(...(await measureCreates(client, at, load)).figures);
  const burst = await measureBurst(client, replicas, 'bench-burst', { creates: 500, cap: 1000 });
  return { ...report, figures, burst };
}

const folder = resolve(values.out);
mkdirSync(folder, { recursive: true });
const controlPlane = await startControlPlane(process.env);
try {
  const client = createKubeClient(controlPlane.access, { connections: 64 });
  await prepare(client);
  const replicas = await startReplicas(client, controlPlane.kubeconfig, join(folder, 'bundle'));
  const program = await bundled('quotaKeeper.ts', join(folder, 'bundle'));
  const keeper = await startProcess(program, { KUBECONFIG: controlPlane.kubeconfig });
  try {
    const report = await measure(client, replicas);
    writeFileSync(join(folder, 'admission.json'), `${JSON.stringify(report, null, 2)}\n`);
    writeFileSync(join(folder, 'admission.md'), `${section(report)}\n`);
    if (values.document !== undefined) writeSection(values.document, report);
    process.stdout.write(`${section(report)}\n`);
  } finally {
    await stopProcess(keeper.child);
    await stopReplicas(replicas);
    await client.close();
  }
} finally {
  await controlPlane.stop();
}
