// SPDX-License-Identifier: Apache-2.0
import type {
  ClusterGovernancePolicy,
  ClusterSandboxTemplate,
  GovernancePolicy,
  SandboxTemplate,
} from '@agenttier/crds/generated/types';
import {
  CLUSTER_GOVERNANCE_POLICIES,
  CLUSTER_SANDBOX_TEMPLATES,
  GOVERNANCE_POLICIES,
  SANDBOX_TEMPLATES,
  SANDBOXES,
} from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { Reflector } from '@agenttier/machinery/reflector/reflector';
import type { ReflectorMetrics } from '@agenttier/machinery/reflector/reflector';
import { Store } from '@agenttier/machinery/reflector/store';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { Freshness } from './freshness.ts';
import type { LookupStores } from './lookup.ts';
import { TemplateUses } from './template/uses.ts';

/** What admission decides by, kept in memory. */
export interface Cache {
  readonly stores: LookupStores;
  /** Runs until the signal aborts; never rejects. */
  run(signal: AbortSignal): Promise<void>;
  hasSynced(): boolean;
  policiesCurrent(): boolean;
}

export interface CacheOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly metrics: (resource: string) => ReflectorMetrics;
}

type Part = KubeObject & { readonly spec?: unknown; readonly status?: unknown };

/** Only what is decided by; who owns which field can be larger than the object itself. */
function slim<T extends KubeObject>({ kind, metadata, spec }: T & { readonly spec?: unknown }): T {
  const { managedFields: _fields, annotations: _annotations, ...rest } = metadata;
  return { kind, metadata: rest, spec } as unknown as T;
}

interface Watched {
  run(signal: AbortSignal): Promise<void>;
  hasSynced(): boolean;
  current(): boolean;
}

/** The status of a policy is its quota ledger. */
function withStatus<T extends Part>(object: T): T {
  const { apiVersion, status } = object;
  return { ...slim(object), apiVersion, status };
}

function watched<T extends KubeObject>(
  resource: Resource,
  store: Store<T>,
  options: CacheOptions & { readonly transform?: (object: T) => T },
): Watched {
  const freshness = new Freshness();
  const metrics = options.metrics(resource.plural);
  const reflector = new Reflector<T>({
    client: options.client,
    resource,
    store,
    log: options.log,
    transform: options.transform ?? slim,
    onError: (error) => freshness.failed(error),
    metrics: {
      ...metrics,
      listed: (reason, items) => {
        freshness.heard();
        metrics.listed(reason, items);
      },
      event: (type) => {
        if (type !== 'ERROR') freshness.heard();
        metrics.event(type);
      },
    },
  });
  return {
    run: (signal) => reflector.run(signal),
    hasSynced: () => reflector.hasSynced(),
    current: () => reflector.hasSynced() && freshness.current(),
  };
}

export function createCache(options: CacheOptions): Cache {
  const stores = {
    templates: new Store<SandboxTemplate>(),
    clusterTemplates: new Store<ClusterSandboxTemplate>(),
    policies: new Store<GovernancePolicy>(),
    clusterPolicies: new Store<ClusterGovernancePolicy>(),
    uses: new TemplateUses(),
  };
  const policies = [
    watched(GOVERNANCE_POLICIES, stores.policies, { ...options, transform: withStatus }),
    watched(CLUSTER_GOVERNANCE_POLICIES, stores.clusterPolicies, { ...options, transform: withStatus }),
  ];
  const all = [
    ...policies,
    watched(SANDBOX_TEMPLATES, stores.templates, options),
    watched(CLUSTER_SANDBOX_TEMPLATES, stores.clusterTemplates, options),
  ];
  // Not waited for at start: it matters to nothing but the deletion of templates, and is the one long list.
  const uses = watched(SANDBOXES, stores.uses.store, { ...options, transform: stores.uses.slim });
  stores.uses.synced = () => uses.hasSynced();
  return {
    stores,
    run: async (signal) => {
      await Promise.all([...all, uses].map((part) => part.run(signal)));
    },
    hasSynced: () => all.every((part) => part.hasSynced()),
    policiesCurrent: () => policies.every((part) => part.current()),
  };
}
