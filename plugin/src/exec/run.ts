// SPDX-License-Identifier: Apache-2.0
import { routerAccess, type Way } from '../client/router.ts';
import { sandboxNames } from '../client/sandboxes.ts';
import { parseTimeout } from '../context/duration.ts';
import { CommandError } from '../context/failure.ts';
import type { GlobalFlags, Host } from '../context/host.ts';

export interface ExecOptions extends GlobalFlags {
  readonly name: string;
  readonly command: readonly string[];
  readonly stdin?: boolean;
  readonly tty?: boolean;
  readonly timeout?: string;
  readonly via: Way;
}

/** What to run, checked and complete. */
export interface ExecRequest {
  readonly name: string;
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
  /** Milliseconds; undefined leaves the command its time. */
  readonly timeoutMs: number | undefined;
}

/** Runs the command and answers its exit code. */
export async function runExec(host: Host, options: ExecOptions): Promise<number> {
  const request = complete(host, options);
  const streaming = request.stdin || request.tty;
  if (streaming && options.via === 'router') {
    throw new CommandError(
      '-i and -t need a stream to the command, which the router offers by terminal only: leave --via out',
    );
  }
  const router = streaming ? undefined : await routerAccess(host, options, options.via);
  if (router) {
    const { execThroughRouter } = await import('./routerExec.ts');
    return execThroughRouter(host, options, { router, request });
  }
  const { execThroughCluster } = await import('./podExec.ts');
  return execThroughCluster(host, options, request);
}

function complete(host: Host, options: ExecOptions): ExecRequest {
  const tty = options.tty === true && host.terminal.interactive;
  if (options.tty === true && !tty) {
    host.streams.err.write('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  }
  return {
    name: sandboxNames([options.name])[0] ?? '',
    command: options.command,
    stdin: options.stdin === true,
    tty,
    timeoutMs: options.timeout === undefined ? undefined : parseTimeout('--timeout', options.timeout),
  };
}
