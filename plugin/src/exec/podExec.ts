// SPDX-License-Identifier: Apache-2.0
import type { ClusterAccess } from '@agenttier/machinery/kube/client';
import { execInPod, type ExecStream } from '@agenttier/machinery/kube/exec';
import { withCluster } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import { flushed, type GlobalFlags, type Host } from '../context/host.ts';
import { execAttach } from '../terminal/podAttach.ts';
import { enterRaw } from '../terminal/raw.ts';
import { ScreenModes } from '../terminal/screenModes.ts';
import { TerminalSession } from '../terminal/session.ts';
import { findPod, type PodTarget } from './pod.ts';
import { deliver } from './deliver.ts';
import type { ExecRequest } from './run.ts';

/** Runs the command by the API server's exec, which streams both ways, and answers its exit code. */
export async function execThroughCluster(
  host: Host,
  flags: GlobalFlags,
  request: ExecRequest,
): Promise<number> {
  const { access, target } = await withCluster(host, flags, async (cluster) => ({
    access: cluster.access,
    target: await findPod(host, cluster, request.name),
  }));
  return request.tty
    ? onTerminal(host, access, { target, request })
    : onPipes(host, access, { target, request });
}

interface Job {
  readonly target: PodTarget;
  readonly request: ExecRequest;
}

async function onTerminal(host: Host, access: ClusterAccess, { target, request }: Job): Promise<number> {
  const attach = execAttach({ host, access, pod: target, commands: [request.command], survives: false });
  const modes = new ScreenModes();
  const leave = enterRaw(host, () => modes.undo());
  const session = new TerminalSession({ host, attach, modes, detachKey: undefined, reconnectMs: 0 });
  const outcome = await session.run().finally(leave);
  if (outcome.kind === 'lost') throw new CommandError(outcome.message);
  await flushed(host.streams.out);
  return outcome.kind === 'exited' ? outcome.code : 130;
}

async function onPipes(host: Host, access: ClusterAccess, { target, request }: Job): Promise<number> {
  const limit = new AbortController();
  const done = new AbortController();
  const { timeoutMs } = request;
  if (timeoutMs !== undefined) {
    const expired = (): void =>
      limit.abort(
        new CommandError(`the command did not end within ${timeoutMs / 1000}s; it may still be running`, 124),
      );
    void host.clock.sleep(timeoutMs, done.signal).then(expired, () => undefined);
  }
  const signal = AbortSignal.any([host.signal, limit.signal]);
  try {
    const stream = await execInPod(access, {
      ...target,
      command: request.command,
      stdin: request.stdin,
      signal,
    });
    return await exchange(host, stream, request.stdin);
  } catch (error) {
    limit.signal.throwIfAborted();
    throw error;
  } finally {
    done.abort();
  }
}

/** Joins the streams and answers the exit code once the command has ended and all its output is written. */
async function exchange(host: Host, stream: ExecStream, stdin: boolean): Promise<number> {
  if (stdin) host.streams.in.pipe(stream.stdin);
  const [, , exit] = await Promise.all([
    deliver(stream.stdout, host.streams.out),
    deliver(stream.stderr, host.streams.err),
    // The connection may stay open after the status: closing it ends both outputs.
    stream.exit.finally(() => stream.close()),
  ]);
  return exit.code;
}
