// SPDX-License-Identifier: Apache-2.0
import { forEachName, patchSandbox, sandboxNames } from '../client/sandboxes.ts';
import { withCluster } from '../context/cluster.ts';
import { parseTimeout } from '../context/duration.ts';
import type { GlobalFlags, Host } from '../context/host.ts';
import { resumeBody } from '../exec/wake.ts';
import { printChange } from '../printers/change.ts';
import { parseOutput } from '../printers/output.ts';
import { runningJudge, waitForSandbox } from '../wait/waitForSandbox.ts';

export interface ResumeOptions extends GlobalFlags {
  readonly names: readonly string[];
  readonly output?: string;
  readonly wait?: boolean;
  readonly waitTimeout: string;
}

/** Asks for Running, and for another attempt in case the sandbox wants to run already but has failed for good. */
export async function runResume(host: Host, options: ResumeOptions): Promise<void> {
  const output = parseOutput(options.output);
  const timeoutMs = parseTimeout('--wait-timeout', options.waitTimeout);
  const names = sandboxNames(options.names);
  const body = resumeBody(host);
  await withCluster(host, options, (cluster) =>
    forEachName(names, async (name) => {
      const asked = await patchSandbox(host, cluster, name, body);
      if (options.wait !== true) return printChange(host, output, asked, 'resuming');
      // A sandbox that runs already has a status that stays as it is: only an older failure is to be disregarded.
      const stale = asked.status?.phase === 'Running' ? undefined : asked.status;
      const judge = runningJudge(stale);
      const running = await waitForSandbox({ host, cluster, name, judge, timeoutMs });
      return printChange(host, output, running ?? asked, 'running');
    }),
  );
}
