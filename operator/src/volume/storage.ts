// SPDX-License-Identifier: Apache-2.0
import { marked } from '../sandbox/objects.ts';
import type { GatherInput } from '../sandbox/gather.ts';
import { isOwnedBy } from '../sandbox/ownership.ts';
import type { Identity } from '../sandbox/ownership.ts';
import type { SandboxState } from '../sandbox/state.ts';

type Storage = Pick<SandboxState, 'storageClasses' | 'snapshots'>;

/** What a decision has to know of storage. Of snapshots with the sandbox's label, only those that no other owner has. */
export function storageOf(owner: Identity, { caches, notes }: GatherInput): Storage {
  const classes = caches.storageClasses.list();
  const found = caches.snapshots.of(owner.uid);
  return {
    storageClasses: new Map(classes.map((one) => [one.metadata.name ?? '', one])),
    ...(found === undefined
      ? {}
      : { snapshots: found.filter((one) => isOwnedBy(one, owner)).map((one) => marked(one, notes)) }),
  };
}
