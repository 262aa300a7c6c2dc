// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { ANNOTATION_RETRY } from '@agenttier/crds/meta/labels';
import { patchSandbox } from '../client/sandboxes.ts';
import type { Cluster } from '../context/cluster.ts';
import type { Host } from '../context/host.ts';
import { runningJudge, waitForSandbox } from '../wait/waitForSandbox.ts';

/** As long as the router waits. */
const WAKE_MS = 60_000;

/** What asks for Running, and for another attempt where something else keeps the sandbox down. */
export const resumeBody = (host: Host): object => ({
  metadata: { annotations: { [ANNOTATION_RETRY]: new Date(host.clock.now()).toISOString() } },
  spec: { desiredState: 'Running' },
});

/**
 * Starts a stopped sandbox that may be started by use (`spec.autoResume`), says so, and waits for it; any other sandbox is
 * answered as it is. Throws CommandError when it does not get to run.
 */
export async function wakeOnUse(host: Host, cluster: Cluster, sandbox: Sandbox): Promise<Sandbox> {
  const { name = '' } = sandbox.metadata;
  const asleep = sandbox.status?.phase === 'Stopped' && sandbox.metadata.deletionTimestamp === undefined;
  if (!asleep || sandbox.spec?.autoResume !== true) return sandbox;
  host.streams.err.write(`sandbox ${name} is stopped; starting it\n`);
  const asked = await patchSandbox(host, cluster, name, resumeBody(host));
  const judge = runningJudge(asked.status);
  return (await waitForSandbox({ host, cluster, name, judge, timeoutMs: WAKE_MS })) ?? asked;
}
