// SPDX-License-Identifier: Apache-2.0
import { forEachName, sandboxNames } from '../client/sandboxes.ts';
import { withCluster } from '../context/cluster.ts';
import { parseTimeout } from '../context/duration.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import {
  conditionJudge,
  deletedJudge,
  type Judge,
  runningJudge,
  stoppedJudge,
  waitForSandbox,
} from './waitForSandbox.ts';

export interface WaitOptions extends GlobalFlags {
  readonly names: readonly string[];
  readonly for: string;
  readonly timeout: string;
}

export async function runWait(host: Host, options: WaitOptions): Promise<void> {
  const { judge, done } = parseGoal(options.for);
  const timeoutMs = parseTimeout('--timeout', options.timeout);
  const names = sandboxNames(options.names);
  await withCluster(host, options, (cluster) =>
    forEachName(names, async (name) => {
      await waitForSandbox({ host, cluster, name, judge, timeoutMs });
      await write(host.streams.out, `sandbox.agenttier.io/${name} ${done}\n`);
    }),
  );
}

function parseGoal(text: string): { readonly judge: Judge; readonly done: string } {
  const word = text.toLowerCase();
  if (word === 'running') return { judge: runningJudge(), done: 'is running' };
  if (word === 'stopped') return { judge: stoppedJudge, done: 'is stopped' };
  if (word === 'deleted' || word === 'delete') return { judge: deletedJudge, done: 'is deleted' };
  const [, type, status = 'True'] = /^condition=([^=]+)(?:=(.+))?$/i.exec(text) ?? [];
  if (type === undefined) {
    throw new CommandError(
      `--for: ${JSON.stringify(text)} is none of running, stopped, deleted, condition=TYPE[=STATUS]`,
    );
  }
  return { judge: conditionJudge(type, status), done: 'condition met' };
}
