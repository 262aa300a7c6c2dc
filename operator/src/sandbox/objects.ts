// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { LABEL_MANAGED, LABEL_SANDBOX_UID, LABEL_SLOT_NAME } from '@agenttier/crds/meta/labels';
import {
  networkPolicyName,
  podName,
  pvcName,
  serviceAccountName,
  tokenSecretName,
} from '@agenttier/crds/meta/names';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Store } from '@agenttier/machinery/reflector/store';
import { BY_SANDBOX_UID } from '../caches.ts';
import type { Caches } from '../caches.ts';
import type { Pod } from '../core.ts';
import type { Notes } from './notes.ts';
import { identityOf, isOwnedBy, partsName } from './ownership.ts';
import type { Identity } from './ownership.ts';
import { isTerminating } from './state.ts';
import { present } from './present.ts';
import type { SandboxState } from './state.ts';

export type Objects = Pick<
  SandboxState,
  'pod' | 'pvc' | 'networkPolicy' | 'ciliumPolicy' | 'tokenSecret' | 'serviceAccount'
>;

export interface FoundObjects {
  readonly owner: Identity;
  readonly objects: Objects;
  /** Slots that the sandbox claimed beside its pod, by answers that were lost and found again. */
  readonly surplus: readonly Pod[];
}

/** Name of the slot that an object was made for; undefined for one that was made for its sandbox. */
export const slotOf = (object: KubeObject | undefined): string | undefined =>
  object?.metadata.labels?.[LABEL_SLOT_NAME] || undefined;

interface Source {
  readonly caches: Caches;
  readonly notes: Notes;
}

/**
 * What stands behind a sandbox. Its pod is the one that the status names, or its own cold one, or the slot that it
 * claimed: the label on that slot is the truth of a claim, whatever became of everything that follows it. The volume is the one
 * that the status names for life; Secret and NetworkPolicy go by the same slot as the volume.
 */
export function findObjects(sandbox: Sandbox, source: Source): FoundObjects {
  const { caches } = source;
  const identity = identityOf(sandbox);
  const { namespace, name, uid } = identity;
  const claimed = caches.pods
    .byIndex(BY_SANDBOX_UID, uid)
    .filter((pod) => slotOf(pod) !== undefined && isOwnedBy(pod, identity))
    .map((pod) => marked(pod, source.notes));
  const pod = podOf(sandbox, identity, source) ?? usableSlot(sandbox, claimed);
  const recorded = sandbox.status?.pvcName;
  const volume = recorded || pvcName(slotOf(pod) ?? name);
  // A sandbox that is merely named like a slot must not get that slot's volume.
  const taken = slotOf(pod) ?? (recorded ? undefined : '');
  const pvc = ownPart(caches.pvcs.get(namespace, volume), { ...identity, slot: taken }, source.notes);
  const owner: Identity = { ...identity, slot: slotOf(pod) ?? slotOf(pvc) };
  const part = <T extends KubeObject>(store: Store<T>, object: string): T | undefined =>
    ownPart(store.get(namespace, object), owner, source.notes);
  const policy = networkPolicyName(partsName(owner));
  const objects = {
    pod,
    pvc,
    networkPolicy: part(caches.networkPolicies, policy),
    ciliumPolicy: ownPart(caches.ciliumPolicies.find(namespace, policy), owner, source.notes),
    tokenSecret: part(caches.secrets, tokenSecretName(partsName(owner))),
    serviceAccount: part(caches.serviceAccounts, serviceAccountName(name)),
  };
  const surplus = claimed.filter((one) => one.metadata.uid !== pod?.metadata.uid && !isTerminating(one));
  return { owner, objects: present(objects), surplus };
}

function podOf({ status }: Sandbox, owner: Identity, { caches, notes }: Source): Pod | undefined {
  const names = [status?.podName, podName(owner.name)].filter((name) => Boolean(name));
  for (const name of names) {
    const found = caches.pods.get(owner.namespace, name as string);
    if (found !== undefined && isOwnedBy(found, owner)) return marked(found, notes);
  }
  return undefined;
}

/** A sandbox that has another volume already has no use for a slot and the empty volume in it. */
function usableSlot({ status }: Sandbox, claimed: readonly Pod[]): Pod | undefined {
  const fitting = claimed.filter((pod) => !status?.pvcName || status.pvcName === pvcName(slotOf(pod) ?? ''));
  return fitting.find((pod) => !isTerminating(pod)) ?? fitting[0];
}

/** The object if it is this Sandbox's: by its owner, or as a part of the slot that it took and has not renamed yet. */
function ownPart<T extends KubeObject>(object: T | undefined, owner: Identity, notes: Notes): T | undefined {
  if (object === undefined) return undefined;
  return isOwnedBy(object, owner) || isFreshPart(object, owner) ? marked(object, notes) : undefined;
}

/** Made with a slot, and not yet labelled as anybody's. A volume is only asked for by the name that the claim gave it. */
function isFreshPart({ metadata }: KubeObject, { slot }: Identity): boolean {
  const { labels = {}, ownerReferences = [] } = metadata;
  const name = labels[LABEL_SLOT_NAME];
  const ours =
    name !== undefined && labels[LABEL_MANAGED] === 'true' && (slot === undefined || slot === name);
  return ours && labels[LABEL_SANDBOX_UID] === undefined && ownerReferences.length === 0;
}

/**
 * One that we deleted a moment ago reads as terminating although the watch has not said so yet, so that it is neither
 * deleted nor counted twice.
 */
export function marked<T extends KubeObject>(object: T, notes: Notes): T {
  const { metadata } = object;
  if (metadata.deletionTimestamp !== undefined || !notes.isDeleted(metadata.uid)) return object;
  return { ...object, metadata: { ...metadata, deletionTimestamp: new Date().toISOString() } };
}
