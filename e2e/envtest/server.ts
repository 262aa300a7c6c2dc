// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { createKubeClient } from '@agenttier/machinery/kube/client';
import type { ClusterAccess, KubeClient } from '@agenttier/machinery/kube/client';
import { loadAccess } from '@agenttier/machinery/kube/kubeconfig';
import { NAMESPACES, SERVICE_ACCOUNTS } from '@agenttier/machinery/kube/resource';
import { inject } from 'vitest';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Paths of administrators' kubeconfigs, one for the API server of each worker. */
    readonly kubeconfigs: readonly string[];
  }
}

/** Path of the administrator's kubeconfig, for programs under test that read one. */
export function adminKubeconfig(): string {
  const kubeconfigs = inject('kubeconfigs');
  // Counted from one; no two files that run at the same time have the same.
  const own = kubeconfigs[Number(process.env['VITEST_POOL_ID']) - 1];
  if (own === undefined) throw new Error('there are more workers than API servers');
  return own;
}

/** Access to the worker's API server as a member of system:masters. */
export async function adminAccess(): Promise<ClusterAccess> {
  return loadAccess({ kubeconfig: adminKubeconfig(), env: {} });
}

let shared: Promise<KubeClient> | undefined;

/** Client with `adminAccess`, one per test file. */
export function adminClient(): Promise<KubeClient> {
  shared ??= adminAccess().then((access) => createKubeClient(access));
  return shared;
}

/**
 * A new namespace with the ServiceAccount `default`, which a controller would make and pods need. Left behind: without
 * a namespace controller a deletion never ends, and the server goes with the run.
 */
export async function freshNamespace(
  prefix = 'test',
  labels: Readonly<Record<string, string>> = {},
): Promise<string> {
  const client = await adminClient();
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  await client.create(NAMESPACES, undefined, { metadata: { name, labels } });
  await client.create(SERVICE_ACCOUNTS, name, { metadata: { name: 'default', namespace: name } });
  return name;
}
