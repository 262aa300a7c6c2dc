// SPDX-License-Identifier: Apache-2.0
import type { ClusterAccess, KubeClient } from '@agenttier/machinery/kube/client';
import type { CallOptions } from '@agenttier/machinery/kube/client';
import { CommandError, messageOf } from './failure.ts';
import type { GlobalFlags, Host } from './host.ts';

/** An open way to the API server, and the namespace that commands work in. */
export interface Cluster {
  readonly client: KubeClient;
  readonly access: ClusterAccess;
  readonly namespace: string;
}

/** Finds the cluster as kubectl does: --kubeconfig, KUBECONFIG, ~/.kube/config; --context and -n win over the file. */
export async function loadCluster(
  host: Host,
  flags: GlobalFlags,
): Promise<{ access: ClusterAccess; namespace: string }> {
  const { loadAccess } = await import('@agenttier/machinery/kube/kubeconfig');
  try {
    const access = await loadAccess({
      ...(flags.kubeconfig === undefined ? {} : { kubeconfig: flags.kubeconfig }),
      ...(flags.context === undefined ? {} : { context: flags.context }),
      env: host.environment.variables,
    });
    return { access, namespace: flags.namespace ?? access.namespace };
  } catch (error) {
    throw new CommandError(messageOf(error), 1, error);
  }
}

/** Opens the API server and runs `use` with it; the sockets are closed afterwards, whatever happens. */
export async function withCluster<T>(
  host: Host,
  flags: GlobalFlags,
  use: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const { access, namespace } = await loadCluster(host, flags);
  const { createKubeClient } = await import('@agenttier/machinery/kube/client');
  const client = createKubeClient(access, { connections: 8, userAgent: 'kubectl-agenttier' });
  try {
    return await use({ client, access, namespace });
  } finally {
    await client.close();
  }
}

/** Options of every call a command makes: stops with the command, shows the server's warnings as kubectl does. */
export function callOptions(host: Host): Pick<CallOptions, 'signal' | 'onWarning'> {
  return { signal: host.signal, onWarning: (text) => void host.streams.err.write(`Warning: ${text}\n`) };
}
