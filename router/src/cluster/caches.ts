// SPDX-License-Identifier: Apache-2.0
import type {
  ClusterSandboxTemplate,
  Sandbox,
  SandboxTemplate,
  SandboxWarmPool,
  WebhookSubscription,
} from '@agenttier/crds/generated/types';
import {
  ANNOTATION_TOKEN_NONCE,
  COMPONENT_SANDBOX,
  LABEL_COMPONENT,
  LABEL_SECRET_PURPOSE,
  SECRET_PURPOSES,
} from '@agenttier/crds/meta/labels';
import {
  CLUSTER_GOVERNANCE_POLICIES,
  CLUSTER_SANDBOX_TEMPLATES,
  GOVERNANCE_POLICIES,
  SANDBOX_TEMPLATES,
  SANDBOX_WARM_POOLS,
  SANDBOXES,
  WEBHOOK_SUBSCRIPTIONS,
} from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { PODS, SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { Reflector } from '@agenttier/machinery/reflector/reflector';
import type { ReflectorMetrics } from '@agenttier/machinery/reflector/reflector';
import { Store } from '@agenttier/machinery/reflector/store';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import type { Policy } from '../api/governance/policies.ts';
import { previewDigest } from '../preview/host.ts';
import { readKeySecret } from '../auth/keyRecord.ts';
import type { Pod, Secret } from './shapes.ts';

/** Everything requests read: no request waits for the API server to look something up. */
export interface Stores {
  readonly sandboxes: Store<Sandbox>;
  readonly clusterTemplates: Store<ClusterSandboxTemplate>;
  readonly templates: Store<SandboxTemplate>;
  readonly warmPools: Store<SandboxWarmPool>;
  /** For those who follow changes; what bounds a namespace is asked of the API server. */
  readonly clusterPolicies: Store<Policy>;
  readonly policies: Store<Policy>;
  readonly subscriptions: Store<WebhookSubscription>;
  readonly pods: Store<Pod>;
  /** The key that the runtimes' tokens are derived from; empty until the operator has made it. */
  readonly keys: Store<Secret>;
  readonly apiKeys: Store<Secret>;
}

/** Indexes of the sandboxes: by name over all namespaces, and by everybody who may see one. */
export const BY_NAME = 'name';
export const BY_READER = 'reader';
/** Of those whose previews have a digest in their host. */
export const BY_PREVIEW = 'preview';
/** By the hash of the secret of each share link. */
export const BY_LINK = 'link';

/** Index of the API keys: by the exact name of their person. */
export const BY_OWNER = 'owner';

/** How a person or a group is filed in the reader index; owners and shares must not be mixed up with groups. */
export const userReader = (identity: string): string => `user:${identity}`;
export const groupReader = (identity: string): string => `group:${identity}`;

export function createStores(): Stores {
  return {
    sandboxes: new Store<Sandbox>(
      {
        [BY_NAME]: (sandbox) => [sandbox.metadata.name ?? ''],
        [BY_READER]: readersOf,
        [BY_PREVIEW]: ({ metadata }) => [previewDigest(metadata)].filter((each) => each !== undefined),
        [BY_LINK]: (sandbox) => (sandbox.spec?.sharing?.shareLinks ?? []).map(({ tokenHash }) => tokenHash),
      },
      { keep: slim },
    ),
    clusterTemplates: new Store<ClusterSandboxTemplate>({}, { keep: slim }),
    templates: new Store<SandboxTemplate>({}, { keep: slim }),
    warmPools: new Store<SandboxWarmPool>({}, { keep: slim }),
    clusterPolicies: new Store<Policy>({}, { keep: slimPolicy }),
    policies: new Store<Policy>({}, { keep: slimPolicy }),
    subscriptions: new Store<WebhookSubscription>({}, { keep: slim }),
    pods: new Store<Pod>({}, { keep: slimPod }),
    keys: new Store<Secret>({}, { keep: slim }),
    apiKeys: new Store<Secret>({ [BY_OWNER]: (secret) => ownersOf(secret) }, { keep: slim }),
  };
}

/** Whom the reader index files a sandbox under. */
export function readersOf(sandbox: Sandbox): string[] {
  const { createdBy, sharing } = sandbox.spec ?? {};
  const readers = [
    ...(createdBy?.sub ? [userReader(createdBy.sub)] : []),
    ...(sharing?.users ?? []).map((share) => userReader(share.identity)),
    ...(sharing?.groups ?? []).map((share) => groupReader(share.identity)),
  ];
  return [...new Set(readers)];
}

function ownersOf(secret: Secret): string[] {
  const owner = readKeySecret(secret)?.principal.sub;
  return owner === undefined ? [] : [owner];
}

interface Feed {
  readonly name: string;
  readonly hasSynced: () => boolean;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

export interface CachesOptions {
  readonly client: KubeClient;
  readonly stores: Stores;
  readonly installNamespace: string;
  readonly log: Logger;
  /** Figures of the reflector of a resource. */
  readonly metrics?: (resource: string) => ReflectorMetrics;
}

interface Source<T extends KubeObject> {
  readonly name: string;
  readonly resource: Resource;
  readonly store: Store<T>;
  readonly namespace?: string;
  readonly labelSelector?: string;
}

/** Keeps the stores equal to the cluster. */
export class Caches {
  readonly #feeds: readonly Feed[];

  constructor(options: CachesOptions) {
    this.#feeds = [...feedsOfKinds(options), ...feedsOfCore(options)];
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#feeds.map((feed) => feed.run(signal)));
  }

  /** Names of what has not been read completely yet; empty = ready. */
  missing(): string[] {
    return this.#feeds.filter((feed) => !feed.hasSynced()).map((feed) => feed.name);
  }
}

/** Our own kinds. */
function feedsOfKinds(options: CachesOptions): Feed[] {
  const { stores } = options;
  const feed = <T extends KubeObject>(source: Source<T>): Feed => feedOf(options, source);
  return [
    feed({ name: 'sandboxes', resource: SANDBOXES, store: stores.sandboxes }),
    feed({ name: 'cluster templates', resource: CLUSTER_SANDBOX_TEMPLATES, store: stores.clusterTemplates }),
    feed({ name: 'templates', resource: SANDBOX_TEMPLATES, store: stores.templates }),
    feed({ name: 'warm pools', resource: SANDBOX_WARM_POOLS, store: stores.warmPools }),
    feed({ name: 'cluster policy', resource: CLUSTER_GOVERNANCE_POLICIES, store: stores.clusterPolicies }),
    feed({ name: 'policies', resource: GOVERNANCE_POLICIES, store: stores.policies }),
    feed({ name: 'subscriptions', resource: WEBHOOK_SUBSCRIPTIONS, store: stores.subscriptions }),
  ];
}

/** Pods of sandboxes, and what the install namespace keeps secret. */
function feedsOfCore(options: CachesOptions): Feed[] {
  const { stores, installNamespace: namespace } = options;
  const secrets = (name: string, store: Store<Secret>, purpose: string): Feed =>
    feedOf(options, {
      name,
      resource: SECRETS,
      store,
      namespace,
      labelSelector: `${LABEL_SECRET_PURPOSE}=${purpose}`,
    });
  const labelSelector = `${LABEL_COMPONENT}=${COMPONENT_SANDBOX}`;
  return [
    feedOf(options, { name: 'pods', resource: PODS, store: stores.pods, labelSelector }),
    secrets('runtime key', stores.keys, SECRET_PURPOSES.runtimeKey),
    secrets('API keys', stores.apiKeys, SECRET_PURPOSES.apiKey),
  ];
}

function feedOf<T extends KubeObject>(options: CachesOptions, source: Source<T>): Feed {
  const { client, log, metrics } = options;
  const { name, resource, ...selection } = source;
  const reflector = new Reflector<T>({
    client,
    resource,
    log,
    ...selection,
    metrics: metrics?.(resource.plural),
  });
  return {
    name,
    hasSynced: () => reflector.hasSynced(),
    run: (signal) => reflector.run(signal),
  };
}

/** managedFields are about half of an object's bytes and nobody here reads them. */
function slim<T extends KubeObject>(object: T): T {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Without the ledger of what is used, which may hold a line for each of thousands of people. */
function slimPolicy(policy: Policy): Policy {
  const { wouldViolate, observedGeneration } = policy.status ?? {};
  const status = {
    ...(wouldViolate === undefined ? {} : { wouldViolate }),
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
  };
  return { ...slim(policy), status };
}

/**
 * Of a pod only identity, address and the nonce of its token are kept: thousands of full pods would not fit the memory
 * budget.
 */
function slimPod(pod: Pod): Pod {
  const { name, namespace, uid, resourceVersion, labels, deletionTimestamp } = pod.metadata;
  const { phase, podIP } = pod.status ?? {};
  return {
    metadata: {
      ...(name ? { name } : {}),
      ...(namespace ? { namespace } : {}),
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
      ...(labels ? { labels } : {}),
      ...nonceOf(pod),
      ...(deletionTimestamp ? { deletionTimestamp } : {}),
    },
    status: { ...(phase ? { phase } : {}), ...(podIP ? { podIP } : {}) },
  };
}

function nonceOf({ metadata }: Pod): Pick<Pod['metadata'], 'annotations'> {
  const nonce = metadata.annotations?.[ANNOTATION_TOKEN_NONCE];
  return nonce ? { annotations: { [ANNOTATION_TOKEN_NONCE]: nonce } } : {};
}
