// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import type { Caches } from '../caches.ts';
import type { Notes } from '../sandbox/notes.ts';
import { marked } from '../sandbox/objects.ts';
import { identityOf, isOwnedBy } from '../sandbox/ownership.ts';
import type { Identity } from '../sandbox/ownership.ts';
import type { CopySource, SandboxState } from '../sandbox/state.ts';

interface StorageInput {
  readonly caches: Caches;
  readonly notes: Notes;
}

type Storage = Pick<SandboxState, 'storageClasses' | 'snapshots' | 'source' | 'restore'>;

/** What a decision has to know of storage. Of snapshots with the sandbox's label, only those that no other owner has. */
export function storageOf(sandbox: Sandbox, owner: Identity, input: StorageInput): Storage {
  const { caches, notes } = input;
  const classes = caches.storageClasses.list();
  const found = caches.snapshots.of(owner.uid);
  const snapshots = found?.filter((one) => isOwnedBy(one, owner)).map((one) => marked(one, notes));
  return {
    storageClasses: new Map(classes.map((one) => [one.metadata.name ?? '', one])),
    ...(snapshots === undefined ? {} : { snapshots }),
    ...originIn(sandbox, owner, input),
  };
}

function originIn(
  { spec }: Sandbox,
  { namespace }: Identity,
  { caches }: Pick<StorageInput, 'caches'>,
): Pick<Storage, 'source' | 'restore'> {
  const { cloneFrom, cloneFromSnapshot } = spec ?? {};
  const restore = cloneFromSnapshot ? caches.snapshots.find(namespace, cloneFromSnapshot) : undefined;
  const source = cloneFrom && copySource(cloneFrom, namespace, { caches });
  return { ...(restore === undefined ? {} : { restore }), ...(source === undefined ? {} : { source }) };
}

/** A sandbox of that name with another uid is not the one that admission allowed to be copied. */
function copySource(
  { sandbox: name, uid }: { readonly sandbox: string; readonly uid?: string },
  namespace: string,
  { caches }: Pick<StorageInput, 'caches'>,
): CopySource | undefined {
  const sandbox = caches.sandboxes.get(namespace, name);
  if (sandbox === undefined || sandbox.metadata.uid !== uid) return undefined;
  const identity = identityOf(sandbox);
  const { pvcName, podName } = sandbox.status ?? {};
  const pvc = pvcName ? caches.pvcs.get(namespace, pvcName) : undefined;
  const pod = podName ? caches.pods.get(namespace, podName) : undefined;
  return {
    sandbox,
    pvc: pvc !== undefined && isOwnedBy(pvc, identity) ? pvc : undefined,
    pod: pod !== undefined && isOwnedBy(pod, identity) ? pod : undefined,
  };
}
