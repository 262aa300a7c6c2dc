// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import {
  CLUSTER_GOVERNANCE_POLICIES,
  CLUSTER_SANDBOX_TEMPLATES,
  GOVERNANCE_POLICIES,
  SANDBOX_TEMPLATES,
  SANDBOX_WARM_POOLS,
  SANDBOXES,
} from '@agenttier/crds/meta/resources';
import type { Impersonation, KubeClient } from '@agenttier/machinery/kube/client';
import { KubeError } from '@agenttier/machinery/kube/errors';
import { SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { createRegistry } from '@agenttier/machinery/telemetry/metrics';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, expect } from 'vitest';
import { freePorts } from '../../../e2e/envtest/processes.ts';
import { adminAccess, adminClient, freshNamespace } from '../../../e2e/envtest/server.ts';
import { startWebhook } from '../start.ts';
import type { RunningWebhook } from '../start.ts';
import {
  configFor,
  grant,
  registerWebhooks,
  serviceAccountAccess,
  unregisterWebhooks,
} from './registration.ts';
import type { Rule } from './registration.ts';

const CONFIGURATION = 'agenttier-envtest';

/** What the chart gives the webhook. */
export const OWN_RULES: readonly Rule[] = [
  {
    apiGroups: ['agenttier.io'],
    resources: [
      'sandboxtemplates',
      'clustersandboxtemplates',
      'governancepolicies',
      'clustergovernancepolicies',
      'sandboxes',
    ],
    verbs: ['get', 'list', 'watch'],
  },
  {
    apiGroups: ['agenttier.io'],
    resources: ['governancepolicies/status', 'clustergovernancepolicies/status'],
    verbs: ['update'],
  },
  { apiGroups: ['agenttier.io'], resources: ['sandboxes/status'], verbs: ['patch'] },
  {
    apiGroups: ['admissionregistration.k8s.io'],
    resources: ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
    verbs: ['get', 'patch'],
  },
  { apiGroups: [''], resources: ['pods', 'serviceaccounts'], verbs: ['get'] },
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
  { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'create', 'update'] },
  { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
  { apiGroups: [''], resources: ['services'], verbs: ['get'] },
  { apiGroups: ['apiextensions.k8s.io'], resources: ['customresourcedefinitions'], verbs: ['get'] },
  { apiGroups: ['node.k8s.io'], resources: ['runtimeclasses'], verbs: ['get'] },
  { apiGroups: ['snapshot.storage.k8s.io'], resources: ['volumesnapshots'], verbs: ['get'] },
];

const users = ['agenttier:users', 'system:authenticated'];

/** People as the router impersonates them. */
export const alice: Impersonation = {
  user: 'agenttier:alice',
  groups: users,
  extra: { 'agenttier.io/email': ['alice@example.com'] },
};
export const bob: Impersonation = { user: 'agenttier:bob', groups: users };
export const admin: Impersonation = { user: 'agenttier:root', groups: [...users, 'agenttier:admins'] };

const RESOURCES = {
  Sandbox: SANDBOXES,
  SandboxTemplate: SANDBOX_TEMPLATES,
  ClusterSandboxTemplate: CLUSTER_SANDBOX_TEMPLATES,
  GovernancePolicy: GOVERNANCE_POLICIES,
  ClusterGovernancePolicy: CLUSTER_GOVERNANCE_POLICIES,
  SandboxWarmPool: SANDBOX_WARM_POOLS,
};
type Kind = keyof typeof RESOURCES;

export interface CreateOptions {
  readonly namespace?: string;
  readonly impersonate?: Impersonation;
  readonly dryRun?: boolean;
  readonly onWarning?: (text: string) => void;
}

/** A real API server that asks two replicas of the webhook, each under a ServiceAccount with the chart's rights. */
export class Scene {
  client!: KubeClient;
  /** Namespace of the webhook. */
  install!: string;
  /** Namespace without policies. */
  team!: string;
  /** Name of a ClusterSandboxTemplate with an image. */
  base!: string;
  readonly replicas: RunningWebhook[] = [];
  readonly #all: RunningWebhook[] = [];
  readonly #stop = new AbortController();
  readonly #front: ((ports: readonly number[]) => Promise<number>) | undefined;

  /** `front` opens a port before those of the replicas; without it the API server asks the first of them only. */
  constructor(front?: (ports: readonly number[]) => Promise<number>) {
    this.#front = front;
  }

  async open(): Promise<void> {
    this.client = await adminClient();
    this.install = await freshNamespace('agenttier');
    this.team = await freshNamespace('team');
    this.base = `base-${this.team}`;
    const [first = 0, second = 0] = await freePorts(2);
    await registerWebhooks(this.client, CONFIGURATION, (await this.#front?.([first, second])) ?? first);
    const started = [this.start('replica-a', OWN_RULES, first), this.start('replica-b', OWN_RULES, second)];
    this.replicas.push(...(await Promise.all(started)));
    const ready = async (): Promise<boolean> => {
      const codes = await Promise.all(this.replicas.map(readyCode));
      return codes.every((code) => code === 200);
    };
    await until(ready, 'readiness');
    const all = [{ apiGroups: ['agenttier.io'], resources: ['*'], verbs: ['*'] }];
    await grant(this.client, `${this.install}-users`, all, { kind: 'Group', name: 'agenttier:users' });
    await grant(this.client, `${this.install}-operator`, all, { kind: 'User', name: this.operator().user });
    const spec = { image: { repository: 'ghcr.io/acme/base' }, storage: { size: '1Gi' } };
    await this.create('ClusterSandboxTemplate', this.base, spec);
  }

  async close(): Promise<void> {
    await unregisterWebhooks(this.client, CONFIGURATION);
    this.#stop.abort();
    await Promise.all(this.#all.map((webhook) => webhook.closed));
  }

  /** One more replica, under an account of its own. */
  async start(account: string, rules: readonly Rule[], port: number): Promise<RunningWebhook> {
    const name = { namespace: this.install, name: account };
    const access = await serviceAccountAccess(this.client, await adminAccess(), name);
    await grant(this.client, `${this.install}-${account}`, rules, { kind: 'ServiceAccount', ...name });
    const webhook = await startWebhook({
      config: configFor(this.install, CONFIGURATION, port),
      access,
      log: silentLogger,
      signal: this.#stop.signal,
      ipAddresses: ['127.0.0.1'],
      drainDelayMs: 0,
      registry: createRegistry('webhook', { processMetrics: false }),
    });
    this.#all.push(webhook);
    return webhook;
  }

  operator(): Impersonation {
    return { user: `system:serviceaccount:${this.install}:agenttier-operator` };
  }

  /** The CA that the API server is told to trust. */
  async authority(): Promise<string> {
    const key = { namespace: this.install, name: 'agenttier-webhook-tls' };
    const secret = await this.client.get<KubeObject & { data: Record<string, string> }>(SECRETS, key);
    return Buffer.from(secret.data['ca.crt'] ?? '', 'base64').toString('utf8');
  }

  manifest(
    kind: Kind,
    name: string,
    spec: object,
    namespace = this.team,
  ): KubeObject & { readonly spec: object } {
    const place = RESOURCES[kind].namespaced ? { namespace } : {};
    return { apiVersion: 'agenttier.io/v1alpha1', kind, metadata: { name, ...place }, spec };
  }

  create<T extends KubeObject = Sandbox>(
    kind: Kind,
    name: string,
    spec: object,
    options: CreateOptions = {},
  ): Promise<T> {
    const { namespace = this.team, ...rest } = options;
    const resource = RESOURCES[kind];
    const body = this.manifest(kind, name, spec, namespace) as KubeObject as T;
    return this.client.create<T>(resource, resource.namespaced ? namespace : undefined, body, rest);
  }

  /** Spec of a sandbox that is fine as it is. */
  spec(more: object = {}): object {
    return { templateRef: { kind: 'ClusterSandboxTemplate', name: this.base }, ...more };
  }

  change(name: string, spec: object, options: CreateOptions = {}): Promise<Sandbox> {
    const { namespace = this.team, ...rest } = options;
    return this.client.patch<Sandbox>(
      SANDBOXES,
      { namespace, name },
      { type: 'merge', body: { spec } },
      rest,
    );
  }
}

/** A scene for the tests of one file. */
export function useScene(front?: (ports: readonly number[]) => Promise<number>): Scene {
  const scene = new Scene(front);
  beforeAll(() => scene.open());
  afterAll(() => scene.close());
  return scene;
}

export async function readyCode(webhook: RunningWebhook): Promise<number> {
  return (await fetch(`http://127.0.0.1:${webhook.healthPort}/readyz`)).status;
}

/** The error that the API server answered; fails the test when it did not refuse. */
export async function refusal(action: Promise<unknown>): Promise<KubeError> {
  const error: unknown = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KubeError);
  return error as KubeError;
}

/** `field code` of each violation. */
export function causes(error: KubeError): string[] {
  return (error.body?.details?.causes ?? []).map((cause) => `${cause.field} ${cause.reason}`);
}
