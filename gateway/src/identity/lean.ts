// SPDX-License-Identifier: Apache-2.0
import { readDomains } from '@agenttier/crds/egress/domains';
import type { AllowedDomain } from '@agenttier/crds/egress/domains';
import type { Sandbox } from '@agenttier/crds/generated/types';
import { LABEL_SANDBOX, LABEL_SANDBOX_UID } from '@agenttier/crds/meta/labels';
import type { KubeObject, ObjectMeta } from '@agenttier/machinery/kube/resource';

/** What is kept of a pod: who it is, and at which addresses it may speak. */
export interface LeanPod extends KubeObject {
  readonly addresses: readonly string[];
  /** Of the Sandbox that the operator made it for. */
  readonly sandbox?: { readonly name: string; readonly uid: string };
}

/** What is kept of a Sandbox: the names that its effective specification opens. */
export interface LeanSandbox extends KubeObject {
  readonly domains: readonly AllowedDomain[];
}

interface PodObject extends KubeObject {
  readonly spec?: { readonly hostNetwork?: boolean };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip?: string }[];
  };
}

const keptMeta = ({ name, namespace, uid, resourceVersion }: ObjectMeta): ObjectMeta => ({
  ...(name === undefined ? {} : { name }),
  ...(namespace === undefined ? {} : { namespace }),
  ...(uid === undefined ? {} : { uid }),
  ...(resourceVersion === undefined ? {} : { resourceVersion }),
});

const ENDED: ReadonlySet<string | undefined> = new Set(['Succeeded', 'Failed']);

/**
 * A pod speaks for a sandbox only with both labels, which admission lets nobody but the operator set; a slot that nobody
 * claimed has none. One that has ended, or that has the node's address, speaks for nobody.
 */
export function leanPod(object: KubeObject): LeanPod {
  const { metadata } = object;
  const name = metadata.labels?.[LABEL_SANDBOX];
  const uid = metadata.labels?.[LABEL_SANDBOX_UID];
  const sandbox = name && uid ? { sandbox: { name, uid } } : {};
  return { metadata: keptMeta(metadata), addresses: addressesOf(object), ...sandbox };
}

function addressesOf({ spec, status = {} }: PodObject): string[] {
  if (spec?.hostNetwork === true || ENDED.has(status.phase)) return [];
  const ips = [status.podIP, ...(status.podIPs ?? []).map(({ ip }) => ip)];
  return [...new Set(ips.flatMap((ip) => ip || []))];
}

export function leanSandbox(object: KubeObject): LeanSandbox {
  const { metadata, spec } = object as KubeObject & Pick<Sandbox, 'spec'>;
  return {
    metadata: keptMeta(metadata),
    domains: readDomains(spec?.resolved?.spec?.network?.allowedDomains),
  };
}
