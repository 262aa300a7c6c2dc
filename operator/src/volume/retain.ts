// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import {
  LABEL_COMPONENT,
  LABEL_MANAGED,
  LABEL_RETAINED_FROM,
  LABEL_SANDBOX,
  LABEL_SANDBOX_UID,
  LABEL_SNAPSHOT_KIND,
  SNAPSHOT_KINDS,
  LABEL_SLOT,
  LABEL_SLOT_NAME,
} from '@agenttier/crds/meta/labels';
import type { KubeObject, ObjectMeta } from '@agenttier/machinery/kube/resource';
import { deletionOf } from '../decision/actions.ts';
import type { Action } from '../decision/actions.ts';
import { ownedMeta } from '../sandbox/ownership.ts';
import type { Identity } from '../sandbox/ownership.ts';
import type { SandboxState } from '../sandbox/state.ts';

/** Whether the volume and its snapshots outlive the sandbox. */
export const isRetained = (spec: EffectiveSpec | undefined): boolean =>
  spec?.storage?.retainPolicy === 'Retain';

/**
 * Metadata of what holds data. What is to be retained has no owner reference from the start: the garbage collector
 * follows it as soon as the Sandbox goes, and a foreground delete does not even wait for us.
 */
export function dataMeta(owner: Identity, name: string, spec: EffectiveSpec): ObjectMeta {
  const { ownerReferences = [], ...meta } = ownedMeta(owner, name);
  return isRetained(spec) ? meta : { ...meta, ownerReferences };
}

export const isOwnerReferenced = (object: KubeObject, owner: Identity): boolean =>
  (object.metadata.ownerReferences ?? []).some(({ uid }) => uid === owner.uid);

const OWN_LABELS = [LABEL_SANDBOX, LABEL_SANDBOX_UID, LABEL_MANAGED, LABEL_COMPONENT];

type DataKind = 'pvc' | 'snapshot';

/** Takes the owner reference off what is to be retained; a server-side apply leaves out nothing that a create put in. */
export function disown(kind: DataKind, live: KubeObject, owner: Identity): Action {
  const { name = '', uid = '', resourceVersion = '', ownerReferences = [] } = live.metadata;
  const left = ownerReferences.filter((one) => one.uid !== owner.uid);
  return { do: 'disown', kind, name, metadata: { uid, resourceVersion, ownerReferences: left } };
}

/** Lets go of what a deleted sandbox leaves behind: from here on nothing of ours looks at it. */
function release(kind: DataKind, live: KubeObject, owner: Identity): Action {
  const { name = '', uid = '', resourceVersion = '', ownerReferences = [] } = live.metadata;
  const ours = [...OWN_LABELS, LABEL_SLOT, LABEL_SLOT_NAME];
  const labels = {
    ...Object.fromEntries(ours.map((label) => [label, null])),
    [LABEL_RETAINED_FROM]: owner.name,
  };
  const left = ownerReferences.filter((one) => one.uid !== owner.uid);
  return { do: 'disown', kind, name, metadata: { uid, resourceVersion, ownerReferences: left, labels } };
}

/** The snapshot that a copy was made through is no data of anybody's. */
const isTool = ({ metadata }: KubeObject): boolean =>
  metadata.labels?.[LABEL_SNAPSHOT_KIND] === SNAPSHOT_KINDS.clone;

/** What a deleted sandbox leaves to the cluster: nothing unless it says so. */
export function releaseData(state: SandboxState): Action[] {
  const { pvc, owner, snapshots = [] } = state;
  return [
    ...(pvc === undefined ? [] : [release('pvc', pvc, owner)]),
    ...snapshots.map((one) => (isTool(one) ? deletionOf('snapshot', one) : release('snapshot', one, owner))),
  ];
}
