// SPDX-License-Identifier: Apache-2.0
import {
  FIELD_MANAGER_OPERATOR,
  LABEL_MANAGED,
  LABEL_SANDBOX,
  LABEL_SANDBOX_UID,
  LABEL_SLOT,
} from '@agenttier/crds/meta/labels';
import { SANDBOX_WARM_POOLS, SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';

/** Whom an object of ours was made for. */
export interface Parent {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  /** Absent for a pool: its slots are told by its name. */
  readonly uid?: string;
}

/** A sandbox's uid counts before the pool: a claimed slot has both labels and belongs to the sandbox. */
export function parentOf({ metadata }: KubeObject): Parent | undefined {
  const { namespace = '', labels = {} } = metadata;
  if (labels[LABEL_MANAGED] !== 'true') return undefined;
  const uid = labels[LABEL_SANDBOX_UID];
  const name = labels[LABEL_SANDBOX];
  if (uid) return name ? { resource: SANDBOXES, namespace, name, uid } : undefined;
  const pool = labels[LABEL_SLOT];
  return pool ? { resource: SANDBOX_WARM_POOLS, namespace, name: pool } : undefined;
}

/** Whether what is stored under the parent's name is that parent, and not one that was made anew under the name. */
export const isParent = (found: KubeObject | undefined, { uid }: Parent): boolean =>
  found !== undefined && (uid === undefined || found.metadata.uid === uid);

/** An object that is just being made may be ahead of what this process has heard of its parent. */
export const MIN_AGE_MS = 10 * 60_000;

export function isOldEnough({ metadata }: KubeObject, now: number): boolean {
  const made = Date.parse(metadata.creationTimestamp ?? '');
  return metadata.deletionTimestamp === undefined && now - made >= MIN_AGE_MS;
}

interface FieldOwner {
  readonly manager?: string;
  readonly fieldsV1?: {
    readonly 'f:metadata'?: { readonly 'f:labels'?: Readonly<Record<string, unknown>> };
  };
}

/**
 * Whether the operator itself put the label there. Labels can be copied by anybody, with an export of an object for
 * instance; who wrote them is kept by the API server.
 */
export function isProvenOurs({ metadata }: KubeObject): boolean {
  const label = metadata.labels?.[LABEL_SANDBOX_UID] ? LABEL_SANDBOX_UID : LABEL_SLOT;
  const owners = Array.isArray(metadata.managedFields) ? (metadata.managedFields as FieldOwner[]) : [];
  return owners.some(
    ({ manager, fieldsV1 }) =>
      manager === FIELD_MANAGER_OPERATOR &&
      fieldsV1?.['f:metadata']?.['f:labels']?.[`f:${label}`] !== undefined,
  );
}

/**
 * Whether the object may be deleted with its parent gone. Data is only ever deleted where the object still says that it
 * goes with this parent: a volume without such a reference was let go on purpose, to be kept.
 */
export function mayGo(object: KubeObject, parent: Parent, holdsData: boolean): boolean {
  const controller = object.metadata.ownerReferences?.find((one) => one.controller === true);
  if (controller !== undefined && controller.kind !== parent.resource.kind) return false;
  if (parent.uid !== undefined && controller !== undefined && controller.uid !== parent.uid) return false;
  return !holdsData || controller !== undefined;
}
