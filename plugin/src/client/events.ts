// SPDX-License-Identifier: Apache-2.0
import { type EventObject, sandboxEvents } from '@agenttier/crds/explain/events';
import type { SandboxEvent } from '@agenttier/crds/explain/why';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { isKubeError } from '@agenttier/machinery/kube/errors';
import { EVENTS, type KubeObject } from '@agenttier/machinery/kube/resource';
import { type Cluster, callOptions } from '../context/cluster.ts';
import type { Host } from '../context/host.ts';

/** The Events about a sandbox; none for a person who may not read Events. */
export async function eventsOf(host: Host, cluster: Cluster, sandbox: Sandbox): Promise<SandboxEvent[]> {
  const { namespace, uid } = sandbox.metadata;
  try {
    const query = { namespace, fieldSelector: `regarding.uid=${uid ?? ''}` };
    const { items } = await cluster.client.list<KubeObject & EventObject>(EVENTS, query, callOptions(host));
    return sandboxEvents(items);
  } catch (error) {
    if (isKubeError(error) && error.status === 403) return [];
    throw error;
  }
}
