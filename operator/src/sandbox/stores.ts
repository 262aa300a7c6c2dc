// SPDX-License-Identifier: Apache-2.0
import {
  CILIUM_NETWORK_POLICIES,
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
  SERVICE_ACCOUNTS,
  VOLUME_SNAPSHOTS,
} from '@agenttier/machinery/kube/resource';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import type { Store } from '@agenttier/machinery/reflector/store';
import type { Caches } from '../caches.ts';
import type { OwnedKind } from './state.ts';

export const RESOURCES: Readonly<Record<OwnedKind, Resource>> = {
  serviceAccount: SERVICE_ACCOUNTS,
  tokenSecret: SECRETS,
  planSecret: SECRETS,
  pvc: PERSISTENT_VOLUME_CLAIMS,
  networkPolicy: NETWORK_POLICIES,
  ciliumPolicy: CILIUM_NETWORK_POLICIES,
  snapshot: VOLUME_SNAPSHOTS,
  pod: PODS,
};

/** The cache of a kind. An answer for a kind's resource is of that kind, so the element type can be set aside. */
export function storeOf(caches: Caches, kind: OwnedKind): Store<KubeObject> {
  const stores: Readonly<Record<OwnedKind, unknown>> = {
    serviceAccount: caches.serviceAccounts,
    tokenSecret: caches.secrets,
    planSecret: caches.secrets,
    pvc: caches.pvcs,
    networkPolicy: caches.networkPolicies,
    ciliumPolicy: caches.ciliumPolicies.store,
    snapshot: caches.snapshots.store,
    pod: caches.pods,
  };
  return stores[kind] as Store<KubeObject>;
}
