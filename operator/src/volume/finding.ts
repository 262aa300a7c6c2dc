// SPDX-License-Identifier: Apache-2.0
import { compareQuantity } from '@agenttier/crds/meta/quantity';
import type { PersistentVolumeClaim } from '../core.ts';
import { no, refusalReason, yes } from '../decision/finding.ts';
import type { Finding } from '../decision/finding.ts';
import { conditionOf } from '../sandbox/failure.ts';
import { isTerminating } from '../sandbox/state.ts';
import type { Refusal, SandboxState } from '../sandbox/state.ts';
import { storageRequest } from './claim.ts';
import { sourceOf } from './origin.ts';
import { growthOf } from './growth.ts';

/** The condition VolumeReady. */
export function volumeFinding(state: SandboxState): Finding {
  const { pvc, observations, sandbox } = state;
  const name = sandbox.status?.pvcName ?? pvc?.metadata.name ?? '';
  if (observations.volumeLost) return no('Lost', `PersistentVolumeClaim ${name} is gone`);
  const refusal = observations.refusals.get('pvc');
  if (pvc !== undefined) return claimFinding(state, pvc, refusal);
  if (refusal) return no(refusalReason(refusal.cause), refusal.message);
  return originFinding(state) ?? no('Provisioning', 'there is no volume yet');
}

/** What a volume that is to be a copy waits for. */
export function originFinding(state: SandboxState): Finding | undefined {
  if (state.pvc !== undefined || state.sandbox.status?.pvcName) return undefined;
  // Only whether it waits, and for what: the time matters for what is to be done.
  const source = sourceOf(state, 0);
  return source.ready ? undefined : source.finding;
}

function claimFinding(
  state: SandboxState,
  pvc: PersistentVolumeClaim,
  refusal: Refusal | undefined,
): Finding {
  if (isTerminating(pvc)) return no('Lost', `PersistentVolumeClaim ${pvc.metadata.name} is being deleted`);
  const phase = pvc.status?.phase;
  if (phase === 'Lost') return no('Lost', 'the volume behind the claim is gone');
  if (phase === 'Bound') return boundFinding(state, pvc, refusal);
  // With WaitForFirstConsumer a claim binds on the way of its pod; once that has a node, it is not what is waited for.
  if (isScheduled(state)) return yes('InUse', 'the pod that uses the volume has a node');
  return missingClass(state) ?? no('Provisioning', 'the volume is not bound yet');
}

const isScheduled = ({ pod }: SandboxState): boolean =>
  pod !== undefined && conditionOf(pod, 'PodScheduled')?.status === 'True';

/** A claim that nobody will ever provision, since its class does not exist. */
export function missingClass({ pvc, storageClasses }: SandboxState): Finding | undefined {
  if (pvc?.status?.phase !== 'Pending' || storageClasses === undefined) return undefined;
  const name = pvc.spec.storageClassName;
  if (name !== undefined && storageClasses.has(name)) return undefined;
  if (name !== undefined)
    return no('ClassMissing', `StorageClass ${name} does not exist: create it, or name another one`);
  if (pvc.spec.volumeName !== undefined) return undefined;
  return no('ClassMissing', 'the sandbox names no storageClass and the cluster has no default StorageClass');
}

/** A volume in use. That it does not grow, or not yet, is said, and keeps nobody from using it. */
function boundFinding(
  state: SandboxState,
  pvc: PersistentVolumeClaim,
  refusal: Refusal | undefined,
): Finding {
  const capacity = pvc.status?.capacity?.['storage'];
  const growth = growthOf(state, pvc);
  if (growth.wanted && !growth.possible)
    return yes('ExpandRefused', `${growth.message}: the volume stays at ${capacity ?? storageRequest(pvc)}`);
  if (refusal) return yes('ExpandRefused', refusal.message);
  if (capacity !== undefined && (compareQuantity(storageRequest(pvc), capacity) ?? 0) > 0)
    return yes('ExpandPending', pendingText(pvc, capacity));
  return yes('Bound', 'the volume is bound');
}

function pendingText(pvc: PersistentVolumeClaim, capacity: string): string {
  const told = (pvc.status?.conditions ?? []).filter(({ status }) => status === 'True');
  const details = told.map(({ type, message }) => (message ? `${type}: ${message}` : type));
  return [`the volume is being grown from ${capacity} to ${storageRequest(pvc)}`, ...details].join('; ');
}
