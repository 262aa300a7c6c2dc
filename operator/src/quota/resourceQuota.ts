// SPDX-License-Identifier: Apache-2.0
import { APP_NAME, FIELD_MANAGER_OPERATOR, LABEL_APP_NAME, LABEL_MANAGED } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { RESOURCE_QUOTAS } from '@agenttier/machinery/kube/resource';
import type { Caches } from '../caches.ts';
import type { ResourceQuota } from '../core.ts';

export const RESOURCE_QUOTA = 'agenttier-sandboxes';
const COUNT = `count/${SANDBOXES.plural}.${SANDBOXES.group}`;

export interface ProjectionOptions {
  readonly client: Pick<KubeClient, 'apply' | 'delete'>;
  readonly caches: Pick<Caches, 'resourceQuotas'>;
}

/**
 * The second line: the API server's own quota holds the number of a namespace's sandboxes while no webhook of ours
 * answers. Without a limit it goes. Rejects with KubeError.
 */
export async function projectQuota(
  { client, caches }: ProjectionOptions,
  { namespace, limit }: { readonly namespace: string; readonly limit: number | undefined },
  signal: AbortSignal,
): Promise<void> {
  const present = caches.resourceQuotas.get(namespace, RESOURCE_QUOTA);
  if (limit === undefined) {
    if (present) await remove(client, present, signal);
    return;
  }
  if (isRight(present, limit)) return;
  const body: ResourceQuota = {
    metadata: {
      name: RESOURCE_QUOTA,
      namespace,
      labels: { [LABEL_APP_NAME]: APP_NAME, [LABEL_MANAGED]: 'true' },
    },
    spec: { hard: { [COUNT]: String(limit) } },
  };
  // One of that name without our label is somebody else's: a conflict is the honest end then.
  const how = { fieldManager: FIELD_MANAGER_OPERATOR, force: present !== undefined, signal };
  const made = await client.apply<ResourceQuota>(RESOURCE_QUOTAS, body, how);
  caches.resourceQuotas.applyLocal(made);
}

function isRight(present: ResourceQuota | undefined, limit: number): boolean {
  const hard = Object.entries(present?.spec?.hard ?? {});
  return hard.length === 1 && hard[0]?.[0] === COUNT && String(hard[0][1]) === String(limit);
}

async function remove(
  client: ProjectionOptions['client'],
  present: ResourceQuota,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, uid } = present.metadata;
  const how = { signal, ...(uid === undefined ? {} : { preconditions: { uid } }) };
  await client.delete(RESOURCE_QUOTAS, { namespace, name: RESOURCE_QUOTA }, how).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}
