// SPDX-License-Identifier: Apache-2.0
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { READY_POD } from './pods.ts';
import type { Replica } from './replica.ts';
import type { Scenario } from './scenario.ts';

/** Lets the operator and a faultless kubelet go on until neither has anything left to do; time passes as needed. */
export async function converge(scenario: Scenario, operator: Replica): Promise<void> {
  const { cluster } = scenario;
  for (let turn = 0; turn < 40; turn++) {
    const before = cluster.calls.length;
    const wait = await operator.settle();
    const moved = kubelet(scenario);
    if (!moved && cluster.calls.length === before && !isWaiting(scenario, wait)) return;
    if (wait !== undefined && isWaiting(scenario, wait)) scenario.advance(wait);
  }
  throw new Error(`no end in sight: ${JSON.stringify(scenario.status())}`);
}

/** Whether time alone will bring something; a deadline of a sandbox that is up is not waited for. */
function isWaiting(scenario: Scenario, wait: number | undefined): boolean {
  return (
    wait !== undefined &&
    scenario.cluster.objects(SANDBOXES).length > 0 &&
    scenario.status().phase === 'Creating'
  );
}

/** A kubelet without faults: ends what is deleted, starts what is new. Returns whether there was anything to do. */
export function kubelet({ cluster }: Scenario): boolean {
  const pod = cluster.pod();
  if (pod === undefined) return false;
  if (pod.metadata.deletionTimestamp !== undefined) cluster.endPod();
  else if (pod.status === undefined) cluster.setPodStatus(READY_POD);
  else return false;
  return true;
}
