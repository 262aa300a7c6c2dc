// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import { API_VERSION } from '@agenttier/crds/meta/labels';
import { SANDBOX_WARM_POOLS } from '@agenttier/crds/meta/resources';
import { callOptions, withCluster } from '../context/cluster.ts';
import type { GlobalFlags, Host } from '../context/host.ts';
import { templateRef } from '../create/manifest.ts';
import { printChange } from '../printers/change.ts';
import { parseOutput } from '../printers/output.ts';
import { parseReplicas } from './pools.ts';

export interface CreatePoolOptions extends GlobalFlags {
  readonly name: string;
  readonly template: string;
  readonly replicas: string;
  readonly maxAge?: string;
  readonly storageSize?: string;
  readonly output?: string;
  readonly dryRun?: boolean;
}

export async function createPool(host: Host, options: CreatePoolOptions): Promise<void> {
  const output = parseOutput(options.output);
  const { name, maxAge, storageSize } = options;
  const spec = {
    templateRef: templateRef(options.template),
    replicas: parseReplicas(options.replicas),
    ...(maxAge === undefined ? {} : { maxAge }),
    ...(storageSize === undefined ? {} : { volume: { size: storageSize } }),
  };
  const dryRun = options.dryRun === true;
  await withCluster(host, options, async ({ client, namespace }) => {
    const pool = { apiVersion: API_VERSION, kind: 'SandboxWarmPool', metadata: { name, namespace }, spec };
    const writing = { ...callOptions(host), dryRun, fieldManager: 'kubectl-agenttier' };
    const created = await client.create<SandboxWarmPool>(SANDBOX_WARM_POOLS, namespace, pool, writing);
    await printChange(host, output, created, dryRun ? 'created (server dry run)' : 'created');
  });
}
