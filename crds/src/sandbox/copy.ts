// SPDX-License-Identifier: Apache-2.0
import type { SandboxSpec } from '../generated/types.ts';

/** Where the data of a copy comes from. */
export type CopySource = Pick<SandboxSpec, 'cloneFrom'> | Pick<SandboxSpec, 'cloneFromSnapshot'>;

/**
 * What a copy asks for: everything that its source asks for, but for what belongs to that one alone. Owner and merged result
 * are written by admission anew, sharing is the owner's to give, and a copy of a stopped sandbox is meant to run.
 */
export function copySpec(source: SandboxSpec, data: CopySource): SandboxSpec {
  const {
    createdBy: _owner,
    resolved: _resolved,
    sharing: _sharing,
    desiredState: _desired,
    cloneFrom: _cloned,
    cloneFromSnapshot: _restored,
    warmPool,
    ...asked
  } = source;
  // A copy never starts from a prepared pod, so to require one would be to ask for an Error.
  return { ...asked, ...(warmPool === undefined || warmPool === 'Require' ? {} : { warmPool }), ...data };
}
