// SPDX-License-Identifier: Apache-2.0
import manifest from '../../package.json' with { type: 'json' };
import { CommandError } from '../context/failure.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { parseOutput, renderValue } from '../printers/output.ts';

export interface VersionOptions extends GlobalFlags {
  readonly client?: boolean;
  readonly output?: string;
}

/** The client's version comes out even when the cluster does not answer; that is an error all the same, as in kubectl. */
export async function runVersion(host: Host, options: VersionOptions): Promise<void> {
  const output = parseOutput(options.output);
  if (output.kind === 'name')
    throw new CommandError('version prints text, json, yaml or jsonpath, not names');
  const client = { version: `v${manifest.version}`, node: process.version };
  const server = options.client === true ? undefined : await serverVersion(host, options);
  const known = server !== undefined && 'version' in server ? server.version : undefined;
  const text =
    output.kind === 'table'
      ? `Client: agenttier ${client.version}\n${known === undefined ? '' : `Kubernetes: ${known}\n`}`
      : await renderValue(output, {
          client,
          ...(known === undefined ? {} : { kubernetes: { version: known } }),
        });
  await write(host.streams.out, text);
  if (server !== undefined && 'failure' in server) throw server.failure;
}

async function serverVersion(
  host: Host,
  flags: GlobalFlags,
): Promise<{ version: string } | { failure: unknown }> {
  const { callOptions, withCluster } = await import('../context/cluster.ts');
  try {
    const answer = await withCluster(host, flags, (cluster) =>
      cluster.client.raw({ method: 'GET', path: '/version' }, callOptions(host)),
    );
    return { version: (answer.body as { gitVersion?: string }).gitVersion ?? 'unknown' };
  } catch (failure) {
    return { failure };
  }
}
