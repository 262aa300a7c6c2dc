// SPDX-License-Identifier: Apache-2.0
import type {
  ClusterGovernancePolicy,
  ClusterSandboxTemplate,
  GovernancePolicy,
  Sandbox,
  SandboxTemplate,
  SandboxWarmPool,
  WebhookSubscription,
} from '@agenttier/crds/generated/types';
import { LABEL_MANAGED, LABEL_SANDBOX_UID, LABEL_SLOT } from '@agenttier/crds/meta/labels';
import {
  CLUSTER_GOVERNANCE_POLICIES,
  CLUSTER_SANDBOX_TEMPLATES,
  GOVERNANCE_POLICIES,
  SANDBOX_TEMPLATES,
  SANDBOX_WARM_POOLS,
  SANDBOXES,
  WEBHOOK_SUBSCRIPTIONS,
} from '@agenttier/crds/meta/resources';
import { parentsOfTemplate, templatesOfSandbox } from '@agenttier/crds/template/users';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import {
  CILIUM_NETWORK_POLICIES,
  crdName,
  CUSTOM_RESOURCE_DEFINITIONS,
  ENDPOINT_SLICES,
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  RESOURCE_QUOTAS,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
  STORAGE_CLASSES,
  VOLUME_SNAPSHOTS,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { Reflector } from '@agenttier/machinery/reflector/reflector';
import type { ReflectorMetrics } from '@agenttier/machinery/reflector/reflector';
import { Store } from '@agenttier/machinery/reflector/store';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type {
  CiliumNetworkPolicy,
  EndpointSlice,
  NetworkPolicy,
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  Secret,
  Service,
  ServiceAccount,
  StorageClass,
} from './core.ts';
import { serviceOfSlice, servicesOfSandbox, SLICES_BY_HAND } from './egress/services.ts';
import { trimmed } from './trim.ts';
import { BY_ORIGIN, originsOf } from './volume/origins.ts';
import { KindCache } from './kinds/kindCache.ts';
import { watchKind } from './kinds/kindWatch.ts';
import { SnapshotCache } from './volume/snapshotCache.ts';

/** Everything the operator knows of the cluster, kept current by watches. */
export interface Caches {
  readonly sandboxes: Store<Sandbox>;
  readonly templates: Store<SandboxTemplate>;
  readonly clusterTemplates: Store<ClusterSandboxTemplate>;
  readonly policies: Store<GovernancePolicy>;
  readonly clusterPolicies: Store<ClusterGovernancePolicy>;
  readonly subscriptions: Store<WebhookSubscription>;
  readonly pods: Store<Pod>;
  readonly pvcs: Store<PersistentVolumeClaim>;
  readonly networkPolicies: Store<NetworkPolicy>;
  readonly secrets: Store<Secret>;
  readonly serviceAccounts: Store<ServiceAccount>;
  readonly resourceQuotas: Store<ResourceQuota>;
  readonly pools: Store<SandboxWarmPool>;
  readonly storageClasses: Store<StorageClass>;
  readonly snapshots: SnapshotCache;
  readonly ciliumPolicies: KindCache<CiliumNetworkPolicy>;
  readonly services: Store<Service>;
  /** Only those that no selector made: what pods a Service has is the network's business. */
  readonly endpointSlices: Store<EndpointSlice>;
}

/** Index of sandboxes by the templates that they were merged from: `Kind/namespace/name`. */
export const BY_TEMPLATE = 'template';
/** Index of sandboxes and of subscriptions by uid. */
export const BY_UID = 'uid';
/** Index of pods and Secrets by the uid of their sandbox. */
export const BY_SANDBOX_UID = 'sandboxUid';
/** Index of what belongs to slots, by the pool that made them: `namespace/pool`. */
export const BY_SLOT = 'slot';
/** Index of templates by the parent that they name, or may mean: `Kind/namespace/name`. */
export const BY_PARENT = 'parent';

/** Index of sandboxes by the Services that their network rules name, and of endpoint slices by theirs: `namespace/name`. */
export const BY_SERVICE = 'service';

export function createCaches(): Caches {
  return {
    sandboxes: storeOf<Sandbox>(SANDBOXES, {
      [BY_TEMPLATE]: templatesOfSandbox,
      [BY_ORIGIN]: originsOf,
      [BY_UID]: ({ metadata }) => [metadata.uid ?? ''],
      [BY_SERVICE]: servicesOfSandbox,
    }),
    templates: storeOf<SandboxTemplate>(SANDBOX_TEMPLATES, {
      [BY_PARENT]: (template) => parentsOfTemplate({ ...template, kind: 'SandboxTemplate' }),
    }),
    clusterTemplates: storeOf<ClusterSandboxTemplate>(CLUSTER_SANDBOX_TEMPLATES, {
      [BY_PARENT]: (template) => parentsOfTemplate({ ...template, kind: 'ClusterSandboxTemplate' }),
    }),
    policies: storeOf(GOVERNANCE_POLICIES),
    clusterPolicies: storeOf(CLUSTER_GOVERNANCE_POLICIES),
    subscriptions: storeOf<WebhookSubscription>(WEBHOOK_SUBSCRIPTIONS, {
      [BY_UID]: ({ metadata }) => [metadata.uid ?? ''],
    }),
    pods: storeOf<Pod>(PODS, { [BY_SANDBOX_UID]: sandboxUidOf, [BY_SLOT]: poolsOf }),
    pvcs: storeOf<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS, { [BY_SLOT]: poolsOf }),
    networkPolicies: storeOf<NetworkPolicy>(NETWORK_POLICIES, { [BY_SLOT]: poolsOf }),
    secrets: storeOf(SECRETS, { [BY_SANDBOX_UID]: sandboxUidOf, [BY_SLOT]: poolsOf }),
    serviceAccounts: storeOf(SERVICE_ACCOUNTS, { [BY_SLOT]: poolsOf }),
    pools: storeOf(SANDBOX_WARM_POOLS),
    resourceQuotas: storeOf(RESOURCE_QUOTAS),
    storageClasses: storeOf(STORAGE_CLASSES),
    snapshots: new SnapshotCache(),
    ciliumPolicies: new KindCache<CiliumNetworkPolicy>(CILIUM_NETWORK_POLICIES),
    services: storeOf(SERVICES),
    endpointSlices: storeOf<EndpointSlice>(ENDPOINT_SLICES, { [BY_SERVICE]: serviceOfSlice }),
  };
}

/** Trimmed in the store: most of what is in it are answers to the operator's own writes. */
const storeOf = <T extends KubeObject>(
  resource: Resource,
  indexers: ConstructorParameters<typeof Store<T>>[0] = {},
): Store<T> => new Store<T>(indexers, { keep: (object) => trimmed(resource, object) });

const sandboxUidOf = ({ metadata }: KubeObject): string[] =>
  [metadata.labels?.[LABEL_SANDBOX_UID] ?? []].flat();

function poolsOf({ metadata }: KubeObject): string[] {
  const pool = metadata.labels?.[LABEL_SLOT];
  return pool === undefined ? [] : [`${metadata.namespace}/${pool}`];
}

export interface ReflectorsOptions {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly caches: Caches;
  readonly log: Logger;
  readonly metrics?: ((resource: string) => ReflectorMetrics) | undefined;
  /** Bounds of the delay between attempts, as a Reflector has them. */
  readonly backoff?: { readonly minMs: number; readonly maxMs: number } | undefined;
}

/** One reflector per cache. Objects behind sandboxes are watched by label only, so other people's Secrets never get here. */
export function createReflectors({ caches, metrics, ...shared }: ReflectorsOptions): Reflector<KubeObject>[] {
  const managed = { labelSelector: MANAGED };
  const watched: [Resource, Store<KubeObject>, Selection?][] = [
    [SANDBOXES, anyStore(caches.sandboxes)],
    [SANDBOX_TEMPLATES, anyStore(caches.templates)],
    [CLUSTER_SANDBOX_TEMPLATES, anyStore(caches.clusterTemplates)],
    [GOVERNANCE_POLICIES, anyStore(caches.policies)],
    [CLUSTER_GOVERNANCE_POLICIES, anyStore(caches.clusterPolicies)],
    [WEBHOOK_SUBSCRIPTIONS, anyStore(caches.subscriptions)],
    [PODS, anyStore(caches.pods), managed],
    [PERSISTENT_VOLUME_CLAIMS, anyStore(caches.pvcs), managed],
    [NETWORK_POLICIES, anyStore(caches.networkPolicies), managed],
    [SECRETS, anyStore(caches.secrets), managed],
    [SERVICE_ACCOUNTS, anyStore(caches.serviceAccounts), managed],
    [RESOURCE_QUOTAS, anyStore(caches.resourceQuotas), managed],
    [SANDBOX_WARM_POOLS, anyStore(caches.pools)],
    [STORAGE_CLASSES, anyStore(caches.storageClasses)],
    [CUSTOM_RESOURCE_DEFINITIONS, anyStore(caches.snapshots.kinds), kindOf(VOLUME_SNAPSHOTS)],
    [CUSTOM_RESOURCE_DEFINITIONS, anyStore(caches.ciliumPolicies.kinds), kindOf(CILIUM_NETWORK_POLICIES)],
    [SERVICES, anyStore(caches.services)],
    [ENDPOINT_SLICES, anyStore(caches.endpointSlices), { labelSelector: SLICES_BY_HAND }],
  ];
  return watched.map(
    ([resource, store, selection = {}]) =>
      new Reflector({
        ...shared,
        ...selection,
        resource,
        store,
        metrics: metrics?.(resource.plural),
      }),
  );
}

/** Watches what belongs to programs that a cluster may have, from the moment that their kinds are there. */
export function watchKinds(
  { caches, metrics, ...shared }: ReflectorsOptions,
  signal: AbortSignal,
): () => void {
  const optionsFor = (resource: Resource) => ({ ...shared, resource, metrics: metrics?.(resource.plural) });
  const stops = [
    watchKind({ ...optionsFor(VOLUME_SNAPSHOTS), cache: caches.snapshots }, signal),
    watchKind(
      { ...optionsFor(CILIUM_NETWORK_POLICIES), cache: caches.ciliumPolicies, labelSelector: MANAGED },
      signal,
    ),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

const MANAGED = `${LABEL_MANAGED}=true`;

const kindOf = (resource: Resource): Selection => ({ fieldSelector: `metadata.name=${crdName(resource)}` });

interface Selection {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** A reflector only puts in what it was given for its own resource, so the store's element type can be set aside. */
const anyStore = <T extends KubeObject>(store: Store<T>): Store<KubeObject> =>
  store as unknown as Store<KubeObject>;
