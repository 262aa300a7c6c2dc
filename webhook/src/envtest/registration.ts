// SPDX-License-Identifier: Apache-2.0
import { request } from 'node:https';
import {
  CLUSTER_SANDBOX_TEMPLATES,
  GOVERNANCE_POLICIES,
  CLUSTER_GOVERNANCE_POLICIES,
  SANDBOX_TEMPLATES,
  SANDBOX_WARM_POOLS,
  SANDBOXES,
  WEBHOOK_SUBSCRIPTIONS,
} from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { ClusterAccess } from '@agenttier/machinery/kube/access';
import {
  MUTATING_WEBHOOK_CONFIGURATIONS,
  SERVICE_ACCOUNTS,
  VALIDATING_WEBHOOK_CONFIGURATIONS,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { readConfig } from '../config.ts';
import type { WebhookConfig } from '../config.ts';
import type { AdmissionReview } from '../review.ts';

const TEMPLATES = [SANDBOX_TEMPLATES, CLUSTER_SANDBOX_TEMPLATES];
const POLICIES = [GOVERNANCE_POLICIES, CLUSTER_GOVERNANCE_POLICIES];

const HOOKS = {
  mutating: [
    { name: 'mutate.sandboxes.agenttier.io', path: '/mutate/sandboxes', resources: [SANDBOXES] },
    { name: 'mutate.templates.agenttier.io', path: '/mutate/templates', resources: TEMPLATES },
    {
      name: 'mutate.subscriptions.agenttier.io',
      path: '/mutate/subscriptions',
      resources: [WEBHOOK_SUBSCRIPTIONS],
    },
  ],
  validating: [
    {
      name: 'validate.sandboxes.agenttier.io',
      path: '/validate/sandboxes',
      resources: [SANDBOXES],
      remove: true,
    },
    {
      name: 'validate.templates.agenttier.io',
      path: '/validate/templates',
      resources: TEMPLATES,
      remove: true,
    },
    { name: 'validate.policies.agenttier.io', path: '/validate/policies', resources: POLICIES },
    { name: 'validate.warmpools.agenttier.io', path: '/validate/warmpools', resources: [SANDBOX_WARM_POOLS] },
    {
      name: 'validate.subscriptions.agenttier.io',
      path: '/validate/subscriptions',
      resources: [WEBHOOK_SUBSCRIPTIONS],
      remove: true,
    },
  ],
} as const;

interface Hook {
  readonly name: string;
  readonly path: string;
  readonly resources: readonly Resource[];
  readonly remove?: boolean;
}

function webhook(hook: Hook, port: number, more: object): object {
  return {
    name: hook.name,
    clientConfig: { url: `https://127.0.0.1:${port}${hook.path}` },
    admissionReviewVersions: ['v1'],
    failurePolicy: 'Fail',
    timeoutSeconds: 5,
    rules: [
      {
        apiGroups: ['agenttier.io'],
        apiVersions: ['v1alpha1'],
        resources: hook.resources.map((resource) => resource.plural),
        operations: hook.remove ? ['CREATE', 'UPDATE', 'DELETE'] : ['CREATE', 'UPDATE'],
      },
    ],
    ...more,
  };
}

const CORE = { apiGroups: [''], apiVersions: ['v1'], scope: 'Namespaced' };

/** Without the namespace, which is another one in each test; replicas of the webhook have accounts of their own there. */
const OURSELVES = '^system:serviceaccount:[^:]+:(agenttier-(operator|router|webhook)|replica-[a-z])$';

/** The webhooks whose rules are not simply kinds of ours. */
function specialHooks(port: number): object[] {
  const base = (name: string, path: string): object => webhook({ name, path, resources: [] }, port, {});
  const pods = ['sandbox', 'slot'].map((label) => ({
    ...base(`validate.${label}-pods.agenttier.io`, '/validate/pods'),
    sideEffects: 'None',
    objectSelector: { matchExpressions: [{ key: `agenttier.io/${label}`, operator: 'Exists' }] },
    rules: [
      { ...CORE, resources: ['pods'], operations: ['CREATE', 'UPDATE'] },
      { ...CORE, resources: ['pods/ephemeralcontainers', 'pods/resize'], operations: ['UPDATE'] },
    ],
  }));
  const status = {
    ...base('validate.status.agenttier.io', '/validate/status'),
    sideEffects: 'None',
    matchConditions: [
      { name: 'not-ourselves', expression: `!request.userInfo.username.matches('${OURSELVES}')` },
    ],
    rules: [
      {
        apiGroups: ['agenttier.io'],
        apiVersions: ['v1alpha1'],
        resources: ['sandboxes/status'],
        operations: ['UPDATE'],
      },
    ],
  };
  const entries = ['pods/exec', 'pods/attach', 'pods/portforward', 'pods/proxy'];
  const connect = {
    ...base('validate.connect.agenttier.io', '/validate/connect'),
    sideEffects: 'NoneOnDryRun',
    failurePolicy: 'Ignore',
    rules: [{ ...CORE, resources: entries, operations: ['CONNECT'] }],
  };
  return [status, ...pods, connect];
}

/** The configurations of the chart, with URLs in the place of a Service and without caBundle. */
export async function registerWebhooks(client: KubeClient, name: string, port: number): Promise<void> {
  const mutating = HOOKS.mutating.map((hook) =>
    webhook(hook, port, { sideEffects: 'None', reinvocationPolicy: 'IfNeeded' }),
  );
  const validating = HOOKS.validating.map((hook) => webhook(hook, port, { sideEffects: 'NoneOnDryRun' }));
  await client.create(MUTATING_WEBHOOK_CONFIGURATIONS, undefined, {
    metadata: { name },
    webhooks: mutating,
  } as KubeObject);
  await client.create(VALIDATING_WEBHOOK_CONFIGURATIONS, undefined, {
    metadata: { name },
    webhooks: [...validating, ...specialHooks(port)],
  } as KubeObject);
}

/** The API server must not ask a webhook that is gone: other test files use the same one. */
export async function unregisterWebhooks(client: KubeClient, name: string): Promise<void> {
  await client.delete(MUTATING_WEBHOOK_CONFIGURATIONS, { name });
  await client.delete(VALIDATING_WEBHOOK_CONFIGURATIONS, { name });
}

export function configFor(namespace: string, configuration: string, webhookPort: number): WebhookConfig {
  return readConfig({
    POD_NAME: `replica-${webhookPort}`,
    POD_NAMESPACE: namespace,
    WEBHOOK_PORT: String(webhookPort),
    HEALTH_PORT: '0',
    WEBHOOK_CONFIGURATION: configuration,
    OPERATOR_USERNAME: `system:serviceaccount:${namespace}:agenttier-operator`,
  });
}

const role = (plural: string, kind: string, namespaced: boolean): Resource => ({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural,
  kind,
  namespaced,
});
export const CLUSTER_ROLES = role('clusterroles', 'ClusterRole', false);
export const CLUSTER_ROLE_BINDINGS = role('clusterrolebindings', 'ClusterRoleBinding', false);

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** Gives a user, group or ServiceAccount rights in the whole cluster. */
export async function grant(
  client: KubeClient,
  name: string,
  rules: readonly Rule[],
  subject: { readonly kind: string; readonly name: string; readonly namespace?: string },
): Promise<void> {
  const apiGroup = subject.kind === 'ServiceAccount' ? '' : 'rbac.authorization.k8s.io';
  await client.create(CLUSTER_ROLES, undefined, { metadata: { name }, rules } as KubeObject);
  await client.create(CLUSTER_ROLE_BINDINGS, undefined, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ ...subject, apiGroup }],
  } as KubeObject);
}

/** Access as a new ServiceAccount, with a token of its own. */
export async function serviceAccountAccess(
  client: KubeClient,
  admin: ClusterAccess,
  account: { readonly namespace: string; readonly name: string },
): Promise<ClusterAccess> {
  const { namespace, name } = account;
  await client.create(SERVICE_ACCOUNTS, namespace, { metadata: { namespace, name } });
  const answer = await client.raw({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  });
  const { token } = (answer.body as { status: { token: string } }).status;
  return { server: admin.server, ca: admin.ca, namespace, token: () => Promise.resolve(token) };
}

/** Sends a review to a webhook past the API server. */
export function postReview(port: number, path: string, ca: string, review: object): Promise<AdmissionReview> {
  const body = JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: review,
  });
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const call = request(
      { host: '127.0.0.1', port, path, method: 'POST', ca, headers, agent: false },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')) as AdmissionReview),
        );
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}
