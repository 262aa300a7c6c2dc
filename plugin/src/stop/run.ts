// SPDX-License-Identifier: Apache-2.0
import { forEachName, patchSandbox, sandboxNames } from '../client/sandboxes.ts';
import { withCluster } from '../context/cluster.ts';
import { parseTimeout } from '../context/duration.ts';
import type { GlobalFlags, Host } from '../context/host.ts';
import { printChange } from '../printers/change.ts';
import { parseOutput } from '../printers/output.ts';
import { stoppedJudge, waitForSandbox } from '../wait/waitForSandbox.ts';

export interface StopOptions extends GlobalFlags {
  readonly names: readonly string[];
  readonly output?: string;
  readonly wait?: boolean;
  readonly waitTimeout: string;
}

export async function runStop(host: Host, options: StopOptions): Promise<void> {
  const output = parseOutput(options.output);
  const timeoutMs = parseTimeout('--wait-timeout', options.waitTimeout);
  const names = sandboxNames(options.names);
  await withCluster(host, options, (cluster) =>
    forEachName(names, async (name) => {
      const asked = await patchSandbox(host, cluster, name, { spec: { desiredState: 'Stopped' } });
      if (options.wait !== true) return printChange(host, output, asked, 'stopping');
      const stopped = await waitForSandbox({ host, cluster, name, judge: stoppedJudge, timeoutMs });
      return printChange(host, output, stopped ?? asked, 'stopped');
    }),
  );
}
