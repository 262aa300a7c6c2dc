// SPDX-License-Identifier: Apache-2.0
import { podName } from '@agenttier/crds/meta/names';
import { getSandbox } from '../client/sandboxes.ts';
import type { Cluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import type { Host } from '../context/host.ts';
import { sandboxStatus } from '../printers/sandboxColumns.ts';
import { wakeOnUse } from './wake.ts';

/** Container of a sandbox's pod that people work in. */
export const CONTAINER = 'sandbox';

export interface PodTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** The pod that runs a sandbox now. Throws CommandError when none does, saying what to do about it. */
export async function findPod(host: Host, cluster: Cluster, name: string): Promise<PodTarget> {
  const sandbox = await wakeOnUse(host, cluster, await getSandbox(host, cluster, name));
  const status = sandboxStatus(sandbox);
  if (status !== 'Running') {
    const why = sandbox.status?.message ? ` (${sandbox.status.message})` : '';
    throw new CommandError(`sandbox "${name}" is ${status}${why}; ${remedy(status, name)}`);
  }
  return {
    namespace: cluster.namespace,
    pod: sandbox.status?.podName || podName(name),
    container: CONTAINER,
  };
}

function remedy(status: string, name: string): string {
  if (status === 'Stopped' || status === 'Error')
    return `start it with: kubectl agenttier resume ${name} --wait`;
  if (status === 'Deleting') return 'it is being deleted';
  return `wait for it with: kubectl agenttier wait ${name}`;
}
