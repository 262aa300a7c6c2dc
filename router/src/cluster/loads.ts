// SPDX-License-Identifier: Apache-2.0
import { parseQuantity } from '@agenttier/crds/meta/quantity';
import { LABEL_COMPONENT, LABEL_SLOT_STATE, LABEL_SANDBOX_UID } from '@agenttier/crds/meta/labels';
import type { KubeObject, ObjectMeta } from '@agenttier/machinery/kube/resource';

/** CPU and memory, in the units that clients are told. */
export interface Amount {
  readonly cpuMillis: number;
  readonly memBytes: number;
}

type Quantities = Readonly<Record<string, string | number>>;

interface Container {
  readonly name?: string;
  readonly restartPolicy?: string;
  readonly resources?: { readonly requests?: Quantities };
}

/** A Node, or what is kept of it. */
export interface NodeRoom extends KubeObject {
  readonly status?: {
    readonly allocatable?: Quantities;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

interface PodSpec {
  readonly nodeName?: string;
  readonly overhead?: Quantities;
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly resources?: { readonly requests?: Quantities };
}

/** A Pod, or what is kept of it: its `load` in place of its spec. */
export interface PodLoad extends KubeObject {
  readonly spec?: PodSpec;
  readonly status?: { readonly phase?: string };
  readonly load?: Amount & { readonly node?: string };
}

/** The Deployment of placeholders. */
export interface HeadroomDeployment extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: { readonly spec?: { readonly containers?: readonly Container[] } };
  };
  readonly status?: { readonly readyReplicas?: number };
}

/** A PersistentVolumeClaim of a sandbox. */
export interface ClaimSize extends KubeObject {
  readonly spec?: { readonly resources?: { readonly requests?: Quantities } };
  readonly status?: { readonly capacity?: Quantities };
}

export function amountOf(quantities: Quantities | undefined): Amount {
  return {
    cpuMillis: thousandths(quantities?.['cpu']),
    memBytes: Math.ceil(thousandths(quantities?.['memory']) / 1000),
  };
}

export const plus = (a: Amount, b: Amount): Amount => ({
  cpuMillis: a.cpuMillis + b.cpuMillis,
  memBytes: a.memBytes + b.memBytes,
});

const most = (a: Amount, b: Amount): Amount => ({
  cpuMillis: Math.max(a.cpuMillis, b.cpuMillis),
  memBytes: Math.max(a.memBytes, b.memBytes),
});

export const NOTHING: Amount = { cpuMillis: 0, memBytes: 0 };

/** In thousandths; nothing where it is no quantity. */
export function thousandths(quantity: string | number | undefined): number {
  return quantity === undefined ? 0 : Number(parseQuantity(quantity) ?? 0n);
}

/**
 * What the scheduler sets aside for a pod (KEP-753): the containers that run on together, or an init container with those
 * sidecars that began before it, whichever is more, and the overhead of its runtime class. Requests of the pod as a whole
 * (KEP-2837) take the place of those of its containers.
 */
export function requestsOf(spec: PodSpec): Amount {
  const { cpu, memory } = spec.resources?.requests ?? {};
  const summed = requestsOfContainers(spec);
  const whole = {
    cpuMillis: cpu === undefined ? summed.cpuMillis : thousandths(cpu),
    memBytes: memory === undefined ? summed.memBytes : amountOf({ memory }).memBytes,
  };
  return plus(whole, amountOf(spec.overhead));
}

function requestsOfContainers({ containers = [], initContainers = [] }: PodSpec): Amount {
  let sidecars = NOTHING;
  let starting = NOTHING;
  for (const { restartPolicy, resources } of initContainers) {
    const sum = plus(sidecars, amountOf(resources?.requests));
    if (restartPolicy === 'Always') sidecars = sum;
    starting = most(starting, sum);
  }
  const running = containers.map(({ resources }) => amountOf(resources?.requests)).reduce(plus, sidecars);
  return most(running, starting);
}

/** Labels of a pod or node that anybody here looks at. */
const LABELS = [
  LABEL_COMPONENT,
  LABEL_SANDBOX_UID,
  LABEL_SLOT_STATE,
  'app.kubernetes.io/name',
  'k8s-app',
  'app',
  'node.kubernetes.io/instance-type',
  'eks.amazonaws.com/nodegroup',
  'cloud.google.com/gke-nodepool',
  'kubernetes.azure.com/agentpool',
  'karpenter.sh/nodepool',
  'node.kubernetes.io/nodepool',
];

function slimMeta({ name, namespace, uid, resourceVersion, labels = {} }: ObjectMeta): ObjectMeta {
  const kept = Object.entries(labels).filter(([label]) => LABELS.includes(label));
  return {
    ...(name ? { name } : {}),
    ...(namespace ? { namespace } : {}),
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
    labels: Object.fromEntries(kept),
  };
}

export function slimNode({ metadata, status = {} }: NodeRoom): NodeRoom {
  const { cpu = 0, memory = 0 } = status.allocatable ?? {};
  const ready = (status.conditions ?? []).filter(({ type }) => type === 'Ready');
  const conditions = ready.map(({ type, status: is }) => ({ type, status: is }));
  return { metadata: slimMeta(metadata), status: { allocatable: { cpu, memory }, conditions } };
}

export function slimPodLoad(pod: PodLoad): PodLoad {
  const { metadata, status, spec = {}, load } = pod;
  const node = spec.nodeName === undefined ? {} : { node: spec.nodeName };
  return {
    metadata: slimMeta(metadata),
    status: { phase: status?.phase ?? '' },
    load: load ?? { ...requestsOf(spec), ...node },
  };
}

export function slimDeployment({ metadata, spec, status }: HeadroomDeployment): HeadroomDeployment {
  const containers = (spec?.template?.spec?.containers ?? []).map(({ name = '', resources }) => ({
    name,
    resources: { requests: resources?.requests ?? {} },
  }));
  return {
    metadata: slimMeta(metadata),
    spec: { replicas: spec?.replicas ?? 1, template: { spec: { containers } } },
    status: { readyReplicas: status?.readyReplicas ?? 0 },
  };
}

export function slimClaim({ metadata, spec, status }: ClaimSize): ClaimSize {
  const storage = status?.capacity?.['storage'] ?? spec?.resources?.requests?.['storage'] ?? 0;
  return { metadata: slimMeta(metadata), status: { capacity: { storage } } };
}
