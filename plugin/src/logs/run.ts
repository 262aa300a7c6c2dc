// SPDX-License-Identifier: Apache-2.0
import { podName } from '@agenttier/crds/meta/names';
import { podLog } from '@agenttier/machinery/kube/logs';
import { getSandbox, sandboxNames } from '../client/sandboxes.ts';
import { withCluster } from '../context/cluster.ts';
import { parseTimeout } from '../context/duration.ts';
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';

export interface LogsOptions extends GlobalFlags {
  readonly name: string;
  readonly container: string;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly timestamps?: boolean;
  readonly install?: boolean;
}

/** Prints at the pace of the reader. A stopped sandbox has no pod and so no log. */
export async function runLogs(host: Host, options: LogsOptions): Promise<void> {
  if (options.install === true) return printInstallLog(host, options);
  const [name = ''] = sandboxNames([options.name]);
  const { container, follow, previous, timestamps } = options;
  const wanted = { container, follow, previous, timestamps, ...rangeOf(options) };
  await withCluster(host, options, async (cluster) => {
    const { access, namespace } = cluster;
    const { status } = await getSandbox(host, cluster, name);
    if (status?.phase === 'Stopped') {
      throw new CommandError(
        `sandbox "${name}" is Stopped and has no log; start it with: kubectl agenttier resume ${name} --wait`,
      );
    }
    const pod = status?.podName || podName(name);
    const chunks = podLog(access, {
      ...wanted,
      namespace,
      pod,
      signal: host.signal,
      userAgent: 'kubectl-agenttier',
    });
    for await (const chunk of chunks) await write(host.streams.out, chunk);
  });
}

/** All of it while the sandbox runs; of one that does not, the end that is kept. */
async function printInstallLog(host: Host, options: LogsOptions): Promise<void> {
  const { follow, previous, since, timestamps, tail } = options;
  if (follow || previous || timestamps || since !== undefined) {
    throw new CommandError('--install: goes with --tail only; configure shows an installation that runs', 2);
  }
  const { tailLines } = rangeOf(options);
  const { openSandboxRest } = await import('../client/rest.ts');
  const rest = await openSandboxRest(host, options, options.name);
  const { log } = await rest.call<{ log: string }>('/configure/install-log', {}, { full: 'true' });
  const lines = log === '' ? [] : log.replace(/\n$/, '').split('\n');
  const shown = tail === undefined ? lines : lines.slice(Math.max(0, lines.length - (tailLines ?? 0)));
  await write(host.streams.out, shown.map((line) => `${line}\n`).join(''));
}

function rangeOf({ tail, since }: LogsOptions): { tailLines?: number; sinceSeconds?: number } {
  if (tail !== undefined && !/^\d+$/.test(tail)) {
    throw new CommandError(`--tail: ${JSON.stringify(tail)} is not a number of lines`, 2);
  }
  return {
    ...(tail === undefined ? {} : { tailLines: Number(tail) }),
    ...(since === undefined ? {} : { sinceSeconds: Math.ceil(parseTimeout('--since', since) / 1000) }),
  };
}
