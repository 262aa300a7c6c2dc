// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { createEventRecorder } from '@agenttier/machinery/events/recorder';
import type { CallOptions, KubeClient } from '@agenttier/machinery/kube/client';
import { isAlreadyExists } from '@agenttier/machinery/kube/errors';
import { PublicAddresses } from '@agenttier/machinery/http/publicAddress';
import { NAMESPACES } from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { createPost } from '../notify/post.ts';
import type { Post } from '../notify/post.ts';
import type { ReflectorMetrics } from '@agenttier/machinery/reflector/reflector';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { parseAllDocuments } from 'yaml';
import { createCaches, createReflectors, watchKinds } from '../caches.ts';
import { operate } from '../operator.ts';
import type { Settings } from '../settings.ts';

const OPERATOR = {
  user: 'system:serviceaccount:agenttier:agenttier-operator',
  groups: ['system:authenticated'],
};

const as = <O extends CallOptions>(options: O | undefined): O & CallOptions => {
  const impersonate = { ...OPERATOR };
  return { ...(options as O), impersonate };
};

/** The operator's client with the rights that the chart gives it, and no others. */
function asOperator(admin: KubeClient): KubeClient {
  return {
    get: (resource, key, options) => admin.get(resource, key, as(options)),
    list: (resource, query, options) => admin.list(resource, query, as(options)),
    create: (resource, namespace, body, options) => admin.create(resource, namespace, body, as(options)),
    update: (resource, body, options) => admin.update(resource, body, as(options)),
    apply: (resource, body, options) => admin.apply(resource, body, as(options)),
    patch: (resource, key, patch, options) => admin.patch(resource, key, patch, as(options)),
    delete: (resource, key, options) => admin.delete(resource, key, as(options)),
    watch: (resource, query, control) => admin.watch(resource, query, as(control)),
    raw: (request, options) => admin.raw(request, as(options)),
    close: () => admin.close(),
  };
}

const isRole = (object: KubeObject | null): object is KubeObject =>
  object?.kind === 'ClusterRole' || object?.kind === 'Role';

/** The roles of the chart's own template, whose few placeholders do not touch the rules. */
async function chartRules(): Promise<KubeObject[]> {
  const path = new URL('../../../helm/agenttier/templates/operator/rbac.yaml', import.meta.url);
  const text = (await readFile(path, 'utf8')).replaceAll(/^.*\{\{.*\}\}.*$/gm, '');
  const objects = parseAllDocuments(text).map((document) => document.toJS() as KubeObject | null);
  return objects.filter(isRole);
}

const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: false } as const;
const ROLES: Resource = { ...RBAC, plural: 'clusterroles', kind: 'ClusterRole' };
const BINDINGS: Resource = { ...RBAC, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding' };

const NAMESPACED_ROLES: Resource = { ...RBAC, namespaced: true, plural: 'roles', kind: 'Role' };
const NAMESPACED_BINDINGS: Resource = {
  ...RBAC,
  namespaced: true,
  plural: 'rolebindings',
  kind: 'RoleBinding',
};

const unlessThere = (error: unknown): void => {
  if (!isAlreadyExists(error)) throw error;
};

async function grantChartRights(admin: KubeClient, installNamespace: string): Promise<void> {
  await admin.create(NAMESPACES, undefined, { metadata: { name: installNamespace } }).catch(unlessThere);
  for (const role of await chartRules()) {
    const { kind = '' } = role;
    const [roles, bindings, namespace] =
      kind === 'Role'
        ? [NAMESPACED_ROLES, NAMESPACED_BINDINGS, installNamespace]
        : [ROLES, BINDINGS, undefined];
    await admin.create(roles, namespace, role).catch(unlessThere);
    const roleRef = { apiGroup: RBAC.group, kind, name: role.metadata.name };
    const subjects = [{ apiGroup: RBAC.group, kind: 'User', name: OPERATOR.user }];
    const binding = { metadata: { name: 'operator-envtest' }, roleRef, subjects } as KubeObject;
    await admin.create(bindings, namespace, binding).catch(unlessThere);
  }
}

export interface ChartOperatorOptions {
  /** How events reach their receivers; by default only public addresses are called. */
  readonly post?: Post;
  /** Wraps the client, to make calls fail. */
  readonly spoil?: (client: KubeClient) => KubeClient;
  /** Told of every list that a watch begins with, by the plural of its kind. */
  readonly onList?: (plural: string, reason: ListReason) => void;
}

type ListReason = Parameters<ReflectorMetrics['listed']>[0];

/** An operator on a real API server, with the rights of the chart. Resolves once it has seen everything; `stop` ends it. */
export async function chartOperator(
  admin: KubeClient,
  settings: Settings,
  {
    post = createPost({ addresses: new PublicAddresses() }),
    spoil = (client) => client,
    onList = () => undefined,
  }: ChartOperatorOptions = {},
): Promise<{ stop: () => Promise<void> }> {
  await grantChartRights(admin, settings.installNamespace);
  const client = spoil(asOperator(admin));
  const control = new AbortController();
  const caches = createCaches();
  // Tests break watches more often than a cluster does; what is waited for is not what they are about.
  const backoff = { minMs: 50, maxMs: 500 };
  const metrics = (plural: string): ReflectorMetrics => ({
    listed: (reason) => onList(plural, reason),
    watchStarted: () => undefined,
    event: () => undefined,
    failed: () => undefined,
  });
  const reflectors = createReflectors({ client, caches, log: silentLogger, metrics, backoff });
  const watching = reflectors.map((one) => one.run(control.signal));
  await Promise.all(reflectors.map((one) => one.synced()));
  watchKinds({ client, caches, log: silentLogger, backoff }, control.signal);
  const recorder = createEventRecorder({ client, component: 'agenttier.io/operator', instance: 'envtest' });
  const work = { client, caches, settings, recorder, post };
  const options = { ...work, log: silentLogger, workers: 4, directProbe: false };
  const running = Promise.all([operate(options, control.signal), ...watching]);
  return {
    stop: async () => {
      control.abort();
      await running;
    },
  };
}
