// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createKubeClient, type KubeClient } from '@agenttier/machinery/kube/client';
import { loadAccess } from '@agenttier/machinery/kube/kubeconfig';
import { measureHandler, measureRequests } from './admission.ts';
import { measureBarePod } from './barePod.ts';
import { measureEcho } from './echo.ts';
import { measureExec, measureLifecycle, measureTogether } from './lifecycle.ts';
import { measureListing } from './listing.ts';
import { measureMemory } from './memory.ts';
import { create, remove, type Target, untilStatus } from './rest.ts';
import { measureWarm } from './warm.ts';
import { type Figure, table } from './stats.ts';

/**
 * `make bench`: the figures of docs/performance.md.
 *
 * By REST alone it measures any router that speaks AgentTier's contract (`--api-url`, `--api-key`, `--template`).
 * With KUBECONFIG it adds what only the cluster can tell: a bare pod of the same shape, admission, memory.
 */
const { values } = parseArgs({
  options: {
    'api-url': { type: 'string', default: process.env['AGENTTIER_API_URL'] ?? '' },
    'api-key': { type: 'string', default: process.env['AGENTTIER_API_KEY'] ?? '' },
    namespace: { type: 'string', default: 'default' },
    template: { type: 'string', default: 'minimal-shell' },
    rounds: { type: 'string', default: '20' },
    'warm-rounds': { type: 'string', default: '100' },
    calls: { type: 'string', default: '500' },
    'rest-only': { type: 'boolean', default: false },
    out: { type: 'string', default: '.local/bench' },
  },
});

const target: Target = {
  url: values['api-url'],
  key: values['api-key'],
  namespace: values.namespace,
  template: values.template,
};
const rounds = Number(values.rounds);
const calls = Number(values.calls);

/** What was measured before something failed is kept: a run takes ten minutes. */
const figures: Figure[] = [];

async function byCluster(client: KubeClient, sandbox: string): Promise<void> {
  const model = { namespace: target.namespace, name: `${sandbox}-pod`, claim: `${sandbox}-workspace` };
  figures.push(await measureBarePod(client, model, rounds));
  figures.push(await measureHandler(client, target.template, calls));
  figures.push(...(await measureRequests(client, target.template, calls)));
  figures.push(...(await measureMemory(client, target, sandbox)));
  await measureWarm(client, target, Number(values['warm-rounds']), figures);
}

async function measure(): Promise<void> {
  const standing = `bench-standing-${Date.now().toString(36)}`;
  figures.push(...(await measureLifecycle(target, rounds)));
  figures.push(await measureTogether(target, 20, 3));
  await create(target, standing);
  try {
    await untilStatus(target, standing, 'Running');
    figures.push(await measureExec(target, standing, calls), await measureEcho(target, standing, calls));
    figures.push(...(await measureListing(target, calls)));
    if (values['rest-only']) return;
    const client = createKubeClient(await loadAccess({ env: process.env }));
    await byCluster(client, standing);
    await client.close();
  } finally {
    await remove(target, standing);
  }
}

try {
  await measure();
} finally {
  mkdirSync(values.out, { recursive: true });
  const report = { at: new Date().toISOString(), figures };
  writeFileSync(join(values.out, 'bench.json'), `${JSON.stringify(report, null, 2)}\n`);
  console.log(table(figures));
}
