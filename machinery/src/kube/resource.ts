// SPDX-License-Identifier: Apache-2.0

/** What the API server needs to know to build a path for a kind. `group` is empty for the core group. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** The JSON form of metadata: timestamps are RFC 3339 strings, never `Date`. */
export interface ObjectMeta {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: unknown;
}

export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

/** Names one object of a kind; `namespace` is absent for cluster-scoped kinds. */
export interface ObjectKey {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** Name of the CRD of a kind that has one. */
export const crdName = ({ plural, group }: Resource): string => `${plural}.${group}`;

const core = (plural: string, kind: string, namespaced = true): Resource => ({
  group: '',
  version: 'v1',
  plural,
  kind,
  namespaced,
});

const grouped = (group: string, plural: string, kind: string, namespaced = true): Resource => ({
  group,
  version: 'v1',
  plural,
  kind,
  namespaced,
});

export const PODS = core('pods', 'Pod');
export const SECRETS = core('secrets', 'Secret');
export const CONFIG_MAPS = core('configmaps', 'ConfigMap');
export const SERVICES = core('services', 'Service');
export const RESOURCE_QUOTAS = core('resourcequotas', 'ResourceQuota');
export const SERVICE_ACCOUNTS = core('serviceaccounts', 'ServiceAccount');
export const PERSISTENT_VOLUME_CLAIMS = core('persistentvolumeclaims', 'PersistentVolumeClaim');
export const NAMESPACES = core('namespaces', 'Namespace', false);
export const NODES = core('nodes', 'Node', false);
export const EVENTS = grouped('events.k8s.io', 'events', 'Event');
export const ENDPOINT_SLICES = grouped('discovery.k8s.io', 'endpointslices', 'EndpointSlice');
export const LEASES = grouped('coordination.k8s.io', 'leases', 'Lease');
export const NETWORK_POLICIES = grouped('networking.k8s.io', 'networkpolicies', 'NetworkPolicy');
/** Of Cilium, where that is the network. */
export const CILIUM_NETWORK_POLICIES: Resource = {
  ...grouped('cilium.io', 'ciliumnetworkpolicies', 'CiliumNetworkPolicy'),
  version: 'v2',
};
export const DAEMON_SETS = grouped('apps', 'daemonsets', 'DaemonSet');
export const DEPLOYMENTS = grouped('apps', 'deployments', 'Deployment');
export const RUNTIME_CLASSES = grouped('node.k8s.io', 'runtimeclasses', 'RuntimeClass', false);
export const STORAGE_CLASSES = grouped('storage.k8s.io', 'storageclasses', 'StorageClass', false);
export const VOLUME_SNAPSHOTS = grouped('snapshot.storage.k8s.io', 'volumesnapshots', 'VolumeSnapshot');
export const CUSTOM_RESOURCE_DEFINITIONS = grouped(
  'apiextensions.k8s.io',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  false,
);
export const SUBJECT_ACCESS_REVIEWS = grouped(
  'authorization.k8s.io',
  'subjectaccessreviews',
  'SubjectAccessReview',
  false,
);
export const SELF_SUBJECT_ACCESS_REVIEWS = grouped(
  'authorization.k8s.io',
  'selfsubjectaccessreviews',
  'SelfSubjectAccessReview',
  false,
);
export const MUTATING_WEBHOOK_CONFIGURATIONS = grouped(
  'admissionregistration.k8s.io',
  'mutatingwebhookconfigurations',
  'MutatingWebhookConfiguration',
  false,
);
export const VALIDATING_WEBHOOK_CONFIGURATIONS = grouped(
  'admissionregistration.k8s.io',
  'validatingwebhookconfigurations',
  'ValidatingWebhookConfiguration',
  false,
);

/** `v1` for the core group, `group/version` otherwise. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/**
 * Path of a collection or, with a name, of one object (and its subresource). A namespaced kind without a namespace
 * means "all namespaces", which the API server only knows for collections.
 */
export function pathOf(
  resource: Resource,
  key: { namespace?: string | undefined; name?: string | undefined } = {},
  subresource?: string,
): string {
  const root =
    resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const inNamespace =
    resource.namespaced && key.namespace ? `/namespaces/${encodeURIComponent(key.namespace)}` : '';
  const object = key.name ? `/${encodeURIComponent(key.name)}` : '';
  return `${root}${inNamespace}/${resource.plural}${object}${subresource ? `/${subresource}` : ''}`;
}
