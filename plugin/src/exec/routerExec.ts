// SPDX-License-Identifier: Apache-2.0
import { callRouter, type RouterAccess, routerUrl } from '../client/router.ts';
import { type GlobalFlags, type Host, write } from '../context/host.ts';
import { namespaceFor } from '../terminal/run.ts';
import type { ExecRequest } from './run.ts';

interface ExecAnswer {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  readonly timedOut?: boolean;
  readonly truncated?: boolean;
}

/** What `timeout(1)` answers for a command it ended, and so what scripts know. */
const TIMED_OUT = 124;
/** The router ends a command after 30 s of its own accord; kubectl's exec has no limit, so ask for its longest. */
const LONGEST_SECONDS = 1800;

/** Runs the command by the router's REST call, which takes the words as they are and answers when the command has ended. */
export async function execThroughRouter(
  host: Host,
  flags: GlobalFlags,
  { router, request }: { readonly router: RouterAccess; readonly request: ExecRequest },
): Promise<number> {
  const namespace = await namespaceFor(host, flags);
  const url = routerUrl(router, `/api/v1/sandboxes/${encodeURIComponent(request.name)}/exec`, { namespace });
  const timeout = request.timeoutMs === undefined ? LONGEST_SECONDS : Math.ceil(request.timeoutMs / 1000);
  const body = { command: request.command, timeout };
  const answer = await callRouter<ExecAnswer>(router, url, { body, signal: host.signal });
  await write(host.streams.out, answer.stdout ?? '');
  await write(host.streams.err, answer.stderr ?? '');
  if (answer.truncated)
    await write(host.streams.err, 'warning: the output was cut at the limit of the router\n');
  if (answer.timedOut) {
    await write(host.streams.err, `error: the command did not end within ${timeout}s and was stopped\n`);
    return TIMED_OUT;
  }
  return answer.exitCode ?? 0;
}
