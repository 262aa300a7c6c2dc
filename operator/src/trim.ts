// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { LABEL_SECRET_PURPOSE, SECRET_PURPOSES } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import {
  CUSTOM_RESOURCE_DEFINITIONS,
  NETWORK_POLICIES,
  PODS,
  SECRETS,
  SERVICES,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import type { Container, NetworkPolicy, Pod, Secret } from './core.ts';
import { leanService } from './egress/services.ts';
import { SharedParts } from './sharedParts.ts';

/**
 * What the caches keep of an object: a cluster has thousands of them. Every test that runs against caches runs on what
 * this leaves.
 */
export function trimmed<T extends KubeObject>(resource: Resource, object: T): T {
  const { managedFields: _, annotations, ...metadata } = object.metadata;
  const rest = annotations === undefined ? {} : { annotations: withoutCopy(annotations) };
  const lean: KubeObject = { ...object, metadata: { ...metadata, ...rest } };
  return (TRIMS.get(resource)?.(lean) ?? lean) as T;
}

/** What `kubectl apply` leaves is the whole object a second time. */
function withoutCopy(annotations: Readonly<Record<string, string>>): Record<string, string> {
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...rest } = annotations;
  return rest;
}

const parts = new SharedParts();

/** Nothing of a pod is repaired: what its containers were made of is of no use once it is there. */
function leanPod(object: KubeObject): KubeObject {
  const { spec } = object as Partial<Pod>;
  if (spec?.containers === undefined) return object;
  const { initContainers: _, tolerations: __, securityContext: ___, affinity: ____, ...rest } = spec;
  const containers = spec.containers.map((container) => leanContainer(container));
  return { ...object, spec: { ...rest, containers } } as Pod;
}

/** Its variables stay: they tell which way to the network it has. */
function leanContainer({ name, image, resources, env, envFrom }: Container): Container {
  return {
    name,
    image,
    ...(resources === undefined ? {} : { resources: parts.of(resources) }),
    ...(env === undefined ? {} : { env: parts.of(env) }),
    ...(envFrom === undefined ? {} : { envFrom }),
  };
}

/** What was brought into a sandbox is never compared: its name is the hash of its content. */
function leanSecret(object: KubeObject): KubeObject {
  if (object.metadata.labels?.[LABEL_SECRET_PURPOSE] !== SECRET_PURPOSES.plan) return object;
  const { data: _, ...rest } = object as Secret;
  return rest;
}

/** Of a CRD only its name and state are of use here. */
function withoutSchema(object: KubeObject): KubeObject {
  return { metadata: object.metadata, ...('status' in object ? { status: object.status } : {}) };
}

/** All are compared whole, and most of them are the same but for whom they select. */
function sharedRules(object: KubeObject): KubeObject {
  const { spec } = object as Partial<NetworkPolicy>;
  const { ingress, egress } = spec ?? {};
  const rules = {
    ...(ingress ? { ingress: parts.of(ingress) } : {}),
    ...(egress ? { egress: parts.of(egress) } : {}),
  };
  return { ...object, ...(spec ? { spec: { ...spec, ...rules } } : {}) };
}

/** Sandboxes of one template have the same merge, or nearly. */
function sharedMerge(object: KubeObject): KubeObject {
  const { spec } = object as Sandbox;
  if (spec?.resolved === undefined) return object;
  return { ...object, spec: { ...spec, resolved: parts.of(spec.resolved) } } as KubeObject;
}

const TRIMS: ReadonlyMap<Resource, (object: KubeObject) => KubeObject> = new Map([
  [SANDBOXES, sharedMerge],
  [PODS, leanPod],
  [NETWORK_POLICIES, sharedRules],
  [SERVICES, leanService],
  [SECRETS, leanSecret],
  [CUSTOM_RESOURCE_DEFINITIONS, withoutSchema],
]);
