// SPDX-License-Identifier: Apache-2.0
import { PERSISTENT_VOLUME_CLAIMS, VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import type { PersistentVolumeClaim, VolumeSnapshot } from '../core.ts';
import { kubelet } from './converge.ts';
import type { Replica } from './replica.ts';
import type { Scenario } from './scenario.ts';

export const snapshotsIn = ({ cluster }: Scenario): VolumeSnapshot[] =>
  cluster.objects<VolumeSnapshot>(VOLUME_SNAPSHOTS);

export const claimsIn = ({ cluster }: Scenario): PersistentVolumeClaim[] =>
  cluster.objects<PersistentVolumeClaim>(PERSISTENT_VOLUME_CLAIMS);

/** The provisioner: every claim gets a volume of the size that it asks for. Returns whether there was one without. */
export function bindClaims(scenario: Scenario): boolean {
  const open = claimsIn(scenario).filter(({ status }) => status?.phase !== 'Bound');
  for (const claim of open) {
    const capacity = { storage: String(claim.spec.resources.requests['storage']) };
    scenario.cluster.put(PERSISTENT_VOLUME_CLAIMS, {
      ...claim,
      status: { phase: 'Bound', capacity },
    } as never);
  }
  return open.length > 0;
}

/** The snapshot controller: every snapshot that waits is cut. Returns whether there was one. */
export function cutSnapshots(scenario: Scenario): boolean {
  const open = snapshotsIn(scenario).filter(({ status }) => status === undefined);
  for (const one of open) setSnapshot(scenario, one, READY(scenario));
  return open.length > 0;
}

const READY = ({ time }: Scenario): VolumeSnapshot['status'] => ({
  boundVolumeSnapshotContentName: 'content',
  creationTime: new Date(time).toISOString(),
  readyToUse: true,
  restoreSize: '10Gi',
});

export function setSnapshot(
  { cluster }: Scenario,
  snapshot: VolumeSnapshot,
  status: VolumeSnapshot['status'],
): void {
  cluster.put(VOLUME_SNAPSHOTS, { ...snapshot, status } as never);
}

/** The runtimes in the pods: each call that was made of them is answered. Returns whether there was one. */
export function answerJobs(operator: Replica, key = 'team/one'): boolean {
  const open = operator.jobs.splice(0);
  for (const { id } of open)
    operator.notebook.peek(key)?.jobEnded(id, { ok: true, status: 200, body: { frozen: 1 } });
  return open.length > 0;
}

/** Everybody goes on until nobody has anything left to do. */
export async function settleStorage(scenario: Scenario, operator: Replica): Promise<void> {
  for (let turn = 0; turn < 60; turn++) {
    const before = scenario.cluster.calls.length;
    await operator.settle();
    const moved = [
      bindClaims(scenario),
      answerJobs(operator),
      cutSnapshots(scenario),
      kubelet(scenario),
    ].includes(true);
    if (!moved && scenario.cluster.calls.length === before) return;
  }
  throw new Error(`no end in sight: ${JSON.stringify(scenario.status())}`);
}
