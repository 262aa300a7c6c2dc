// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import { API_VERSION } from '@agenttier/crds/meta/labels';
import { SANDBOX_WARM_POOLS } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { namespaceAllowed } from '../../auth/authorize.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { Handlers } from '../contract.ts';
import { refusals } from '../errors.ts';
import { byKey, pageOf } from '../page.ts';
import type { Call, Reply } from '../route.ts';
import { isDryRun, writeAs } from '../write.ts';
import { planPools, readConfig } from './config.ts';
import { poolsStatus, poolView } from './view.ts';

export interface WarmPoolsOptions {
  readonly client: Pick<KubeClient, 'create' | 'patch' | 'delete'>;
  readonly stores: Pick<Stores, 'warmPools'>;
  readonly defaultNamespace: string;
}

type Operations = Pick<
  Handlers,
  | 'warmPoolStatus'
  | 'configureWarmPools'
  | 'listWarmPools'
  | 'createWarmPool'
  | 'getWarmPool'
  | 'replaceWarmPool'
  | 'deleteWarmPool'
>;
type Pool = SandboxWarmPool & KubeObject;
type Spec = SandboxWarmPool['spec'];

/** SandboxWarmPool objects. Administrators write them as themselves; admission holds each against the policy. */
export function warmPoolOperations(options: WarmPoolsOptions): Operations {
  const views = (call: Call) => poolsSeen(options, call).map(poolView);
  return {
    warmPoolStatus: (call) => ({ status: 200, body: poolsStatus(views(call)) }),
    configureWarmPools: (call) => configure(options, call),
    listWarmPools: (call) => {
      const { items, ...rest } = pageOf(poolsSeen(options, call), call.query, keyOf);
      return { status: 200, body: { pools: items.map(poolView), ...rest } };
    },
    createWarmPool: (call) => create(options, call),
    getWarmPool: (call) => ({ status: 200, body: poolView(poolNamed(options, call)) }),
    replaceWarmPool: (call) => replace(options, call),
    deleteWarmPool: async (call) => {
      await remove(options, call, poolNamed(options, call));
      return { status: 204 };
    },
  };
}

const keyOf = ({ metadata }: KubeObject): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

function poolsSeen(
  { stores }: WarmPoolsOptions,
  { query, principal }: Pick<Call, 'query' | 'principal'>,
): Pool[] {
  const namespace = query.get('namespace');
  return stores.warmPools
    .list()
    .filter(({ metadata }) => namespaceAllowed(principal, metadata.namespace))
    .filter(({ metadata }) => !namespace || metadata.namespace === namespace)
    .sort(byKey(keyOf));
}

function namespaceIn({ defaultNamespace }: WarmPoolsOptions, { query, principal }: Call): string {
  const namespace = query.get('namespace') || defaultNamespace;
  if (!namespaceAllowed(principal, namespace)) throw refusals.namespaceRefused(namespace);
  return namespace;
}

function poolNamed(options: WarmPoolsOptions, call: Call): Pool {
  const { name = '' } = call.params;
  const pool = options.stores.warmPools.get(namespaceIn(options, call), name);
  if (pool === undefined) throw refusals.warmPoolNotFound(name);
  return pool;
}

/** A name that is taken makes it fail: nothing is overwritten. */
async function make(options: WarmPoolsOptions, call: Call, pool: Pool): Promise<Pool> {
  const { namespace } = pool.metadata;
  const created = await options.client.create<Pool>(SANDBOX_WARM_POOLS, namespace, pool, writeAs(call));
  if (!isDryRun(call)) options.stores.warmPools.applyLocal(created);
  return created;
}

const poolOf = (namespace: string, name: string, spec: Spec): Pool => ({
  apiVersion: API_VERSION,
  kind: SANDBOX_WARM_POOLS.kind,
  metadata: { name, namespace },
  spec,
});

interface NewPool {
  readonly name: string;
  readonly namespace?: string;
  readonly spec: object;
}

async function create(options: WarmPoolsOptions, call: Call<NewPool>): Promise<Reply> {
  const { name, spec, namespace = namespaceIn(options, call) } = call.body;
  if (!namespaceAllowed(call.principal, namespace)) throw refusals.namespaceRefused(namespace);
  const created = await make(options, call, poolOf(namespace, name, spec as Spec));
  return { status: 201, body: poolView(created) };
}

/** A merge patch of the version that was read, by uid; fields of the old spec that the new one leaves out are taken away. */
async function replace(
  options: WarmPoolsOptions,
  call: Call<{ spec: object; resourceVersion?: string }>,
): Promise<Reply> {
  const pool = poolNamed(options, call);
  const { spec, resourceVersion } = call.body;
  const gone = Object.fromEntries(Object.keys(pool.spec).map((field) => [field, null]));
  const changed = await patch(options, call, pool, {
    metadata: resourceVersion ? { resourceVersion } : {},
    spec: { ...gone, ...spec },
  });
  return { status: 200, body: poolView(changed) };
}

async function patch(
  { client, stores }: WarmPoolsOptions,
  call: Call,
  { metadata: { namespace, name = '', uid } }: Pool,
  change: { readonly metadata?: object; readonly spec: object },
): Promise<Pool> {
  const body = { ...change, metadata: { ...change.metadata, uid } };
  const changed = await client.patch<Pool>(
    SANDBOX_WARM_POOLS,
    { namespace, name },
    { type: 'merge', body },
    writeAs(call),
  );
  if (!isDryRun(call)) stores.warmPools.applyLocal(changed);
  return changed;
}

async function remove({ client }: WarmPoolsOptions, call: Call, { metadata }: Pool): Promise<void> {
  const { namespace, name = '', uid } = metadata;
  const { impersonate, signal, dryRun } = writeAs(call);
  const which = uid === undefined ? {} : { preconditions: { uid } };
  try {
    await client.delete(SANDBOX_WARM_POOLS, { namespace, name }, { ...which, impersonate, signal, dryRun });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/**
 * The list of pools of old, which names no objects: a pool is known by its template. What is asked for is made or scaled first,
 * and only then the rest is deleted, so that a refusal by admission leaves everything there that was.
 */
async function configure(options: WarmPoolsOptions, call: Call): Promise<Reply> {
  const wishes = readConfig(call.body);
  const namespace = namespaceIn(options, call);
  const pools = options.stores.warmPools.list().filter(({ metadata }) => metadata.namespace === namespace);
  const plan = planPools(pools, wishes);
  for (const { template, desiredCount } of plan.create) {
    const spec = { templateRef: { name: template }, replicas: desiredCount };
    await make(options, call, poolOf(namespace, template, spec));
  }
  for (const { pool, desiredCount } of plan.scale) {
    await patch(options, call, pool, { spec: { replicas: desiredCount } });
  }
  for (const pool of plan.remove) await remove(options, call, pool);
  return { status: 200, body: { status: 'updated', pools: wishes } };
}
