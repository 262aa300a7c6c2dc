// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import {
  ANNOTATION_APPLIED_HASH,
  LABEL_MANAGED,
  LABEL_SANDBOX,
  LABEL_SANDBOX_UID,
  ownedLabels,
} from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeObject, ObjectMeta, OwnerReference } from '@agenttier/machinery/kube/resource';

/** What identifies a stored Sandbox; taken apart once, so that builders need not doubt optional metadata. */
export interface Identity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Name of the slot that the sandbox took: Secret and NetworkPolicy go by it for the sandbox's whole life. */
  readonly slot?: string | undefined;
}

/** What the names of Secret and NetworkPolicy are made from. */
export const partsName = ({ name, slot }: Identity): string => slot ?? name;

export function identityOf(sandbox: Sandbox): Identity {
  const { namespace = '', name = '', uid = '' } = sandbox.metadata;
  return { namespace, name, uid };
}

/**
 * Makes the garbage collector remove the object with its Sandbox; `blockOwnerDeletion` keeps a foreground delete of the
 * Sandbox waiting for it.
 */
export function ownerReference(owner: Identity): OwnerReference {
  return {
    apiVersion: `${SANDBOXES.group}/${SANDBOXES.version}`,
    kind: SANDBOXES.kind,
    name: owner.name,
    uid: owner.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

export function ownedMeta(owner: Identity, name: string): ObjectMeta {
  return {
    name,
    namespace: owner.namespace,
    labels: ownedLabels(owner.name, owner.uid),
    ownerReferences: [ownerReference(owner)],
  };
}

const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((reference) => reference.controller === true);

/**
 * Whether the object belongs to this very Sandbox. The controller reference decides, since labels can be edited by
 * anybody who may label; the uid label counts only where no controller is recorded.
 */
export function isOwnedBy(object: KubeObject, owner: Identity): boolean {
  const controller = controllerOf(object);
  if (controller !== undefined) return controller.uid === owner.uid;
  return object.metadata.labels?.[LABEL_SANDBOX_UID] === owner.uid;
}

/**
 * Whether the object was left by an earlier Sandbox of the same name: ours by label and by controller kind, with
 * another uid. One name is one Sandbox at a time, so the owner is gone and only the garbage collector is late.
 */
export function isLeftover(object: KubeObject, owner: Identity): boolean {
  const controller = controllerOf(object);
  const { labels } = object.metadata;
  return (
    labels?.[LABEL_MANAGED] === 'true' &&
    labels[LABEL_SANDBOX] === owner.name &&
    controller?.kind === SANDBOXES.kind &&
    controller.name === owner.name &&
    controller.uid !== owner.uid
  );
}

/**
 * Hash of what a pod was made from. Only pods carry it: they cannot be changed in place, so this is how one tells that a
 * running pod is older than the spec. Other objects are compared field by field, which also notices an edit that left
 * an annotation alone.
 */
export const withAppliedHash = (hash: string): Record<string, string> => ({
  [ANNOTATION_APPLIED_HASH]: hash,
});

/** Whether labels and the owner reference of a live object are still what we set. */
export function hasOwnedMeta(live: KubeObject, desired: KubeObject): boolean {
  const labels = Object.entries(desired.metadata.labels ?? {});
  const owner = desired.metadata.ownerReferences?.[0];
  const owned = (live.metadata.ownerReferences ?? []).some(
    (one) => one.uid === owner?.uid && one.controller === true,
  );
  // What is retained has no owner; that one is taken away from it is another write.
  return labels.every(([key, value]) => live.metadata.labels?.[key] === value) && (owned || !owner);
}
