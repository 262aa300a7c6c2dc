// SPDX-License-Identifier: Apache-2.0
import { usageOfAll } from '@agenttier/crds/explain/explanation';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { Stores } from '../../cluster/caches.ts';
import { usersShownTo } from '../governance/operations.ts';
import { readPolicies } from '../governance/policies.ts';
import type { Call, Reply } from '../route.ts';
import { withWarnings } from '../write.ts';
import { refuseBatch } from './batchQuota.ts';
import type { Wanted } from './batchQuota.ts';
import type { CreateRequest } from './body.ts';
import { createFrom, readRequest } from './create.ts';
import type { CreateOptions } from './create.ts';
import { failureOf, mapBatch } from './batch.ts';
import type { Failure } from './batch.ts';

export interface BulkOptions extends CreateOptions {
  readonly client: Pick<KubeClient, 'create' | 'get'>;
  readonly stores: Pick<Stores, 'sandboxes' | 'templates' | 'clusterTemplates'>;
}

type Outcome =
  | { readonly status: 'created'; readonly sandboxId: string; readonly namespace: string }
  | Failure;

/**
 * Creates many at once. The whole batch is refused with 409 when the policies have no room for it; what is created
 * meanwhile by others may still use up that room, so each one is admitted for itself as ever, and says how it went.
 */
export async function createMany(
  options: BulkOptions,
  call: Call<{ readonly items: readonly unknown[] }>,
): Promise<Reply> {
  const requests = call.body.items.map((item) => readOrFail(options, call, item));
  const readable = requests.flatMap((request) => ('name' in request ? [request] : []));
  await requireRoom(options, call, readable);
  const results = await mapBatch(requests, async (request, index) => ({
    index,
    ...('name' in request ? await createOrFail(options, call, request) : request),
  }));
  return { status: 200, body: { results } };
}

function readOrFail(options: BulkOptions, call: Call, item: unknown): CreateRequest | Failure {
  try {
    return readRequest(options, call, item);
  } catch (error) {
    return failureOf(error);
  }
}

async function createOrFail(options: BulkOptions, call: Call, request: CreateRequest): Promise<Outcome> {
  try {
    const { sandboxId, namespace, warnings = [] } = await createFrom(options, call, request);
    return { status: 'created', sandboxId, namespace, ...withWarnings(warnings) };
  } catch (error) {
    return failureOf(error);
  }
}

async function requireRoom(
  options: BulkOptions,
  call: Call,
  requests: readonly CreateRequest[],
): Promise<void> {
  const namespaces = [...new Set(requests.map(({ namespace }) => namespace))];
  const wanted = requests.map(
    (request): Wanted => ({ namespace: request.namespace, isAgent: isAgent(options.stores, request) }),
  );
  for (const namespace of namespaces) {
    const policies = await readPolicies(options.client, namespace, call.signal);
    const usages = usageOfAll(policies, namespace, usersShownTo({ ...call.principal, isAdmin: false }));
    refuseBatch({ namespace, wanted, usages, sub: call.principal.sub });
  }
}

/** As far as the request and the template that it names say so; one that is inherited is counted by admission. */
function isAgent({ templates, clusterTemplates }: BulkOptions['stores'], request: CreateRequest): boolean {
  const { mode, templateRef } = request.spec;
  if (mode !== undefined) return mode === 'agent';
  const { kind, name = '', namespace = request.namespace } = templateRef ?? {};
  const own = kind === 'ClusterSandboxTemplate' ? undefined : templates.get(namespace, name);
  return (own ?? clusterTemplates.get(undefined, name))?.spec?.mode === 'agent';
}
