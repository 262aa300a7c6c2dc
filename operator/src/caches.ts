// SPDX-License-Identifier: Apache-2.0
import type { ClusterSandboxTemplate, Sandbox, SandboxTemplate } from '@agenttier/crds/generated/types';
import { LABEL_MANAGED } from '@agenttier/crds/meta/labels';
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOX_TEMPLATES, SANDBOXES } from '@agenttier/crds/meta/resources';
import { templatesOfSandbox } from '@agenttier/crds/template/users';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import {
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
  SERVICE_ACCOUNTS,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { Reflector } from '@agenttier/machinery/reflector/reflector';
import type { ReflectorMetrics } from '@agenttier/machinery/reflector/reflector';
import { Store } from '@agenttier/machinery/reflector/store';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { NetworkPolicy, PersistentVolumeClaim, Pod, Secret, ServiceAccount } from './core.ts';

/** Everything the operator knows of the cluster, kept current by watches. */
export interface Caches {
  readonly sandboxes: Store<Sandbox>;
  readonly templates: Store<SandboxTemplate>;
  readonly clusterTemplates: Store<ClusterSandboxTemplate>;
  readonly pods: Store<Pod>;
  readonly pvcs: Store<PersistentVolumeClaim>;
  readonly networkPolicies: Store<NetworkPolicy>;
  readonly secrets: Store<Secret>;
  readonly serviceAccounts: Store<ServiceAccount>;
}

/** Index of sandboxes by the templates that they were merged from: `Kind/namespace/name`. */
export const BY_TEMPLATE = 'template';

export function createCaches(): Caches {
  return {
    sandboxes: new Store<Sandbox>({ [BY_TEMPLATE]: templatesOfSandbox }),
    templates: new Store(),
    clusterTemplates: new Store(),
    pods: new Store(),
    pvcs: new Store(),
    networkPolicies: new Store(),
    secrets: new Store(),
    serviceAccounts: new Store(),
  };
}

export interface ReflectorsOptions {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly caches: Caches;
  readonly log: Logger;
  readonly metrics?: ((resource: string) => ReflectorMetrics) | undefined;
}

/** One reflector per cache. Objects behind sandboxes are watched by label only, so other people's Secrets never get here. */
export function createReflectors({
  client,
  caches,
  log,
  metrics,
}: ReflectorsOptions): Reflector<KubeObject>[] {
  const managed = `${LABEL_MANAGED}=true`;
  const watched: [Resource, Store<KubeObject>, string?][] = [
    [SANDBOXES, anyStore(caches.sandboxes)],
    [SANDBOX_TEMPLATES, anyStore(caches.templates)],
    [CLUSTER_SANDBOX_TEMPLATES, anyStore(caches.clusterTemplates)],
    [PODS, anyStore(caches.pods), managed],
    [PERSISTENT_VOLUME_CLAIMS, anyStore(caches.pvcs), managed],
    [NETWORK_POLICIES, anyStore(caches.networkPolicies), managed],
    [SECRETS, anyStore(caches.secrets), managed],
    [SERVICE_ACCOUNTS, anyStore(caches.serviceAccounts), managed],
  ];
  return watched.map(
    ([resource, store, labelSelector]) =>
      new Reflector({
        client,
        resource,
        store,
        log,
        labelSelector,
        transform: withoutManagedFields,
        metrics: metrics?.(resource.plural),
      }),
  );
}

/** A reflector only puts in what it was given for its own resource, so the store's element type can be set aside. */
const anyStore = <T extends KubeObject>(store: Store<T>): Store<KubeObject> =>
  store as unknown as Store<KubeObject>;

/** Half the memory of a cached object, and nothing here reads it. */
function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
