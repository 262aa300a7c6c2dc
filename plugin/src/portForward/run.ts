// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { openPortForward } from '@agenttier/machinery/kube/portForward';
import { sandboxNames } from '../client/sandboxes.ts';
import { withCluster } from '../context/cluster.ts';
import { CommandError, messageOf } from '../context/failure.ts';
import { type Host, write } from '../context/host.ts';
import type { VerbOptions } from '../context/verb.ts';
import { findPod, type PodTarget } from '../exec/pod.ts';
import type { ClusterAccess } from '@agenttier/machinery/kube/client';
import { parsePortPair, type PortPair } from './ports.ts';

export interface PortForwardOptions extends VerbOptions {
  readonly address: string;
}

/** Listens until it is interrupted. A connection that fails is told and leaves the others alone. */
export async function runPortForward(host: Host, options: PortForwardOptions): Promise<number> {
  const [given = '', ...words] = options.args;
  const [name = ''] = sandboxNames([given]);
  const pairs = words.map(parsePortPair);
  const { access, target } = await withCluster(host, options, async (cluster) => ({
    access: cluster.access,
    target: await findPod(host, cluster, name),
  }));
  const servers: Server[] = [];
  try {
    for (const pair of pairs) servers.push(await listen(host, options.address, { access, target, pair }));
    if (!host.signal.aborted) await once(host.signal, 'abort');
    return 130;
  } finally {
    for (const server of servers) server.close();
  }
}

interface Lead {
  readonly access: ClusterAccess;
  readonly target: PodTarget;
  readonly pair: PortPair;
}

async function listen(host: Host, address: string, lead: Lead): Promise<Server> {
  const server = createServer((socket) => void join(host, socket, lead));
  server.listen(lead.pair.local, address);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new CommandError(
      `port ${lead.pair.local} of ${address} cannot be had: ${messageOf(error)}`,
      1,
      error,
    );
  }
  const { address: at, port, family } = server.address() as AddressInfo;
  const shown = family === 'IPv6' ? `[${at}]` : at;
  await write(host.streams.out, `Forwarding from ${shown}:${port} -> ${lead.pair.remote}\n`);
  return server;
}

async function join(host: Host, socket: Socket, { access, target, pair }: Lead): Promise<void> {
  // Until the far side is there, whatever the client sends waits in the kernel.
  socket.pause();
  socket.on('error', () => undefined);
  try {
    const { namespace, pod } = target;
    const far = await openPortForward(access, { namespace, pod, port: pair.remote, signal: host.signal });
    await pipeline(socket, far, socket);
  } catch (error) {
    socket.destroy();
    if (host.signal.aborted || isCut(error)) return;
    host.streams.err.write(`error: port ${pair.remote}: ${messageOf(error)}\n`);
  }
}

/** One side has gone, as clients do. */
const isCut = (error: unknown): boolean =>
  ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'].includes(
    (error as { code?: string } | undefined)?.code ?? '',
  );
