// SPDX-License-Identifier: Apache-2.0
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';

const rbac = (plural: string, kind: string, namespaced: boolean): Resource => ({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural,
  kind,
  namespaced,
});
const CLUSTER_ROLES = rbac('clusterroles', 'ClusterRole', false);
const CLUSTER_ROLE_BINDINGS = rbac('clusterrolebindings', 'ClusterRoleBinding', false);
const ROLES = rbac('roles', 'Role', true);
const ROLE_BINDINGS = rbac('rolebindings', 'RoleBinding', true);

/** What a router may do under its own name in every namespace; every write to our kinds but the time of use is the person's. */
const ROUTER_RULES = [
  {
    apiGroups: ['agenttier.io'],
    resources: [
      'sandboxes',
      'sandboxtemplates',
      'clustersandboxtemplates',
      'sandboxwarmpools',
      'webhooksubscriptions',
    ],
    verbs: ['get', 'list', 'watch'],
  },
  {
    apiGroups: ['agenttier.io'],
    resources: ['governancepolicies', 'clustergovernancepolicies'],
    verbs: ['get', 'list', 'watch'],
  },
  { apiGroups: ['snapshot.storage.k8s.io'], resources: ['volumesnapshots'], verbs: ['list'] },
  { apiGroups: [''], resources: ['nodes', 'persistentvolumeclaims'], verbs: ['list', 'watch'] },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['list', 'create', 'patch'] },
  { apiGroups: ['agenttier.io'], resources: ['sandboxes/status'], verbs: ['patch'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['pods/exec'], verbs: ['create', 'get'] },
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
  { apiGroups: [''], resources: ['users'], verbs: ['impersonate'] },
  {
    apiGroups: [''],
    resources: ['groups'],
    resourceNames: ['agenttier:users', 'agenttier:admins', 'system:authenticated'],
    verbs: ['impersonate'],
  },
  {
    apiGroups: ['authentication.k8s.io'],
    resources: ['userextras/agenttier.io/email'],
    verbs: ['impersonate'],
  },
];

/** And in the install namespace: hashed API keys and the key of the runtime tokens are there. */
const INSTALL_RULES = [
  { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch', 'create', 'delete'] },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: ['list', 'watch'] },
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create', 'update'] },
];

/** What people may do whom the router speaks for; ownership is admission's business. */
const PEOPLE_RULES = [
  {
    apiGroups: ['agenttier.io'],
    resources: ['sandboxes', 'webhooksubscriptions'],
    verbs: ['create', 'patch', 'delete'],
  },
  { apiGroups: ['snapshot.storage.k8s.io'], resources: ['volumesnapshots'], verbs: ['delete'] },
];

/** And those among them who are administrators. */
const ADMIN_RULES = [
  {
    apiGroups: ['agenttier.io'],
    resources: [
      'sandboxes',
      'sandboxtemplates',
      'clustersandboxtemplates',
      'governancepolicies',
      'clustergovernancepolicies',
      'sandboxwarmpools',
      'webhooksubscriptions',
    ],
    verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
  },
  {
    apiGroups: ['apps'],
    resources: ['deployments'],
    resourceNames: ['agenttier-headroom'],
    verbs: ['get', 'patch'],
  },
];

/** Gives the router's ServiceAccount and the people their roles. */
export async function grantRoles(admin: KubeClient, installNamespace: string): Promise<void> {
  const account = { kind: 'ServiceAccount', name: 'agenttier-router', namespace: installNamespace };
  const people = { kind: 'Group', name: 'agenttier:users', apiGroup: 'rbac.authorization.k8s.io' };
  for (const [name, rules, subject] of [
    ['test-router', ROUTER_RULES, account],
    ['test-people', PEOPLE_RULES, people],
    ['test-admins', ADMIN_RULES, { ...people, name: 'agenttier:admins' }],
  ] as const) {
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
    await admin.apply(CLUSTER_ROLES, { metadata: { name }, rules } as KubeObject, { fieldManager: 'test' });
    const binding = { metadata: { name }, roleRef, subjects: [subject] } as KubeObject;
    await admin.apply(CLUSTER_ROLE_BINDINGS, binding, { fieldManager: 'test' });
  }
  const metadata = { name: 'test-router', namespace: installNamespace };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name };
  await admin.apply(ROLES, { metadata, rules: INSTALL_RULES } as KubeObject, { fieldManager: 'test' });
  const binding = { metadata, roleRef, subjects: [account] } as KubeObject;
  await admin.apply(ROLE_BINDINGS, binding, { fieldManager: 'test' });
}
