// SPDX-License-Identifier: Apache-2.0
import type { KubeObject } from '@agenttier/machinery/kube/resource';

export interface PodChanges {
  readonly uid?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly phase?: string;
  readonly hostNetwork?: boolean;
  readonly sandboxUid?: string;
}

let version = 0;

/** The pod of a sandbox as a watch brings it. */
export function podObject(name: string, podIP: string, changes: PodChanges = {}): KubeObject {
  const labels = changes.labels ?? {
    'agenttier.io/managed': 'true',
    'agenttier.io/sandbox': name,
    'agenttier.io/sandbox-uid': changes.sandboxUid ?? `uid-${name}`,
  };
  const uid = changes.uid ?? `pod-${name}`;
  return {
    metadata: { name: `${name}-pod`, namespace: 'team', uid, labels, resourceVersion: String(++version) },
    spec: { hostNetwork: changes.hostNetwork ?? false },
    status: { phase: changes.phase ?? 'Running', podIP, podIPs: [{ ip: podIP }] },
  } as KubeObject;
}

export function sandboxObject(name: string, allowedDomains: string[], uid = `uid-${name}`): KubeObject {
  return {
    metadata: { name, namespace: 'team', uid, resourceVersion: String(++version) },
    spec: { resolved: { spec: { network: { allowedDomains } } } },
  } as KubeObject;
}
