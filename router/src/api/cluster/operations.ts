// SPDX-License-Identifier: Apache-2.0
import { FIELD_MANAGER_ROUTER } from '@agenttier/crds/meta/labels';
import { parseQuantity } from '@agenttier/crds/meta/quantity';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { DEPLOYMENTS } from '@agenttier/machinery/kube/resource';
import { impersonationOf } from '../../auth/principal.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { HeadroomDeployment } from '../../cluster/loads.ts';
import type { ClusterView, Overview } from '../../cluster/overview.ts';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';
import type { Call, Reply } from '../route.ts';
import { clusterStatus, HEADROOM, headroomView, nodeFigures } from './figures.ts';

export interface ClusterOptions {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly stores: Pick<Stores, 'sandboxes'>;
  readonly overview: Pick<Overview, 'look'>;
  readonly installNamespace: string;
}

type Operations = Pick<Handlers, 'clusterStatus' | 'listNodes' | 'getHeadroom' | 'setHeadroom'>;

/** The cluster that sandboxes run on, from watches that run while somebody looks. */
export function clusterOperations(options: ClusterOptions): Operations {
  const look = async ({ signal }: Pick<Call, 'signal'>): Promise<ClusterView> =>
    options.overview.look(signal);
  return {
    clusterStatus: async (call) => {
      const view = await look(call);
      const body = clusterStatus(listed(view), options.stores.sandboxes.list());
      return { status: 200, body };
    },
    listNodes: async (call) => ({ status: 200, body: nodeFigures(listed(await look(call))) }),
    getHeadroom: async (call) => {
      const { headroom } = await look(call);
      return { status: 200, body: headroomView(headroom.get(options.installNamespace, HEADROOM)) };
    },
    setHeadroom: (call) => setHeadroom(options, call),
  };
}

const listed = ({ nodes, pods }: ClusterView) => ({ nodes: nodes.list(), pods: pods.list() });

interface HeadroomWish {
  readonly replicas: number;
  readonly cpu?: string;
  readonly memory?: string;
}

const PLACEHOLDER = 'placeholder';

/** Written as the administrator; requests and limits are the same, so that a placeholder takes up exactly what it stands for. */
async function setHeadroom(
  { client, overview, installNamespace: namespace }: ClusterOptions,
  call: Call<HeadroomWish>,
): Promise<Reply> {
  const { replicas, cpu, memory } = call.body;
  checkAmounts({ cpu, memory });
  const size = { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}) };
  const containers = [{ name: PLACEHOLDER, resources: { requests: size, limits: size } }];
  const template = Object.keys(size).length === 0 ? {} : { template: { spec: { containers } } };
  const { signal, principal } = call;
  try {
    const changed = await client.patch<HeadroomDeployment>(
      DEPLOYMENTS,
      { namespace, name: HEADROOM },
      { type: 'strategic', body: { spec: { replicas, ...template } } },
      { impersonate: impersonationOf(principal), fieldManager: FIELD_MANAGER_ROUTER, signal },
    );
    const { headroom } = await overview.look(signal);
    headroom.applyLocal(changed);
    return { status: 200, body: headroomView(changed) };
  } catch (error) {
    if (isNotFound(error)) throw refusals.noHeadroom();
    throw error;
  }
}

function checkAmounts(amounts: Readonly<Record<string, string | undefined>>): void {
  const wrong = Object.entries(amounts).filter(([, text]) => text && !((parseQuantity(text) ?? 0n) > 0n));
  if (wrong.length === 0) return;
  const message = 'must be a quantity above 0 such as "500m" or "1Gi"';
  throw refusals.invalidFields(wrong.map(([field]) => ({ field, message })));
}
