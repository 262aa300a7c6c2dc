// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Cluster, type ClusterKind, type Start, chooseCluster } from './cluster.ts';
import { useExisting } from './existing.ts';
import { account, elevate, widenPath } from './host/account.ts';
import { cacheFolder } from './host/cache.ts';
import { ensurePackages } from './host/packages.ts';
import { Progress, formatElapsed } from './host/progress.ts';
import { newApiKey } from './install/apiKey.ts';
import { type Program, ensurePrograms, programPath } from './install/binaries.ts';
import { applyKinds, chartVersion, installChart, prepareNamespace, requireImages } from './install/chart.ts';
import { DEMO, runDemo } from './install/demo.ts';
import { readEnv, writeBin, writeEnv } from './install/env.ts';
import { type BuiltImage, buildImages } from './install/images.ts';
import { startKind } from './kind.ts';
import { startBareNode } from './node/bare.ts';
import { type Gvisor, describeGvisor, ensureGvisor } from './node/gvisor.ts';
import { STORAGE_PROGRAMS } from './node/storage.ts';

/**
 * `make up`: from a machine to a Kubernetes with AgentTier and a running sandbox on it. Each step looks first whether its
 * work is done already, so a second run repairs what is missing and is quick otherwise.
 */

const PROGRAMS: Readonly<Record<ClusterKind, readonly Program[]>> = {
  bare: ['node', 'coredns', 'helm', 'netpol', 'pause', ...STORAGE_PROGRAMS],
  kind: ['node', 'helm'],
  existing: ['node', 'helm'],
};

const START: Readonly<Record<ClusterKind, (start: Start) => Promise<Cluster>>> = {
  bare: startBareNode,
  kind: startKind,
  existing: useExisting,
};

async function images(kind: ClusterKind, start: Start): Promise<BuiltImage[]> {
  if (kind !== 'bare') return []; // built by Docker, or lying in a registry
  return start.progress.step('images built', (say) => buildImages(start.place, start.version, say));
}

/** Said at once, with the reason where it is left out; the node goes on without. */
async function gvisorStep({ place, progress }: Start): Promise<Gvisor> {
  let outcome: Gvisor = { ok: false, why: 'not tried' };
  await progress.step('gVisor', async (say) => {
    outcome = await ensureGvisor(place, say);
    return describeGvisor(outcome);
  });
  return outcome;
}

async function installProduct(
  start: Start,
  cluster: Cluster,
  key: string,
  changed: readonly string[],
): Promise<void> {
  const { place, progress } = start;
  const { root } = place;
  const { kubectl } = cluster;
  if (!existsSync(join(root, 'helm', 'agenttier', 'Chart.yaml'))) return;
  await progress.step('custom resources', () => applyKinds(root, kubectl));
  await progress.step('namespace, key', () => prepareNamespace(kubectl, key));
  const release = {
    root,
    helm: programPath(place, 'helm'),
    kubeconfig: cluster.kubeconfig,
    kubectl,
    values: cluster.values,
    changed,
  };
  await progress.step('chart', (say) => installChart(release, say));
  await progress.step('demo', () => runDemo(root, kubectl));
}

function nextSteps(root: string, apiUrl: string): string {
  return `
Ready. In a shell:

  . ${join(root, '.local', 'env')}
  kubectl agenttier terminal ${DEMO.sandbox} -n ${DEMO.namespace}      a shell in the demo's sandbox
  kubectl agenttier create mine --template minimal-shell --wait
  kubectl get sandboxes -A

REST API: ${apiUrl}  (key in $AGENTTIER_API_KEY)
Remove everything: make down
`;
}

async function up(): Promise<void> {
  process.env['PATH'] = widenPath(process.env['PATH'] ?? '');
  const env = process.env;
  const kind = await chooseCluster(env['CLUSTER']);
  if (kind === 'bare') elevate(env);
  const owner = account(env);
  const root = resolve(import.meta.dirname, '../..');
  const place = { root, cache: cacheFolder(env, owner.home), owner };
  const progress = new Progress();
  const start: Start = { place, progress, version: chartVersion(root), env };
  progress.note(`cluster: ${kind}, cache: ${place.cache}`);
  await progress.step('packages', () => ensurePackages(kind));
  const gvisor = kind === 'bare' ? gvisorStep(start) : undefined;
  const building = images(kind, start);
  building.catch(() => undefined); // reported where it is awaited
  await progress.step('programs', (say) => ensurePrograms(place, PROGRAMS[kind], say));
  const cluster = await START[kind](gvisor === undefined ? start : { ...start, gvisor });
  const key = readEnv(root)['AGENTTIER_API_KEY'] ?? newApiKey();
  writeBin(place);
  writeEnv(place, {
    KUBECONFIG: cluster.kubeconfig,
    AGENTTIER_API_URL: cluster.apiUrl,
    AGENTTIER_API_KEY: key,
  });
  const built = await building;
  const changed = await progress.step('images loaded', () => cluster.load(built));
  if (kind === 'bare') requireImages(built);
  await installProduct(start, cluster, key, changed);
  progress.note(`done in ${formatElapsed(progress.elapsed())}`);
  process.stdout.write(nextSteps(root, cluster.apiUrl));
}

await up().catch((error: unknown) => {
  process.stderr.write(`\nmake up failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.stderr.write('Run it again after the cause is removed; it goes on where it stopped.\n');
  process.exit(1);
});
