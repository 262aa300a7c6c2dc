// SPDX-License-Identifier: Apache-2.0
import type { ClusterAccess } from '@agenttier/machinery/kube/access';
import { execInPod } from '@agenttier/machinery/kube/exec';
import type { ExecRequest, ExecResult } from '../cluster/runtimeClient.ts';
import type { Target } from '../cluster/target.ts';
import { Collector } from './collector.ts';
import type { ExecPaths } from './exec.ts';

/** Name of the container that people work in. */
export const MAIN_CONTAINER = 'sandbox';

/** The same limit as the runtime has, so that both ways cut at the same place. */
const MAX_STREAM = 8 * 1024 * 1024;
/** How much longer than the command we wait: children that outlive it keep its output open. */
const GRACE_MS = 2000;

/** Exit code of the watchdog below; `timeout` of coreutils uses the same. */
const TIMED_OUT = 124;
const KILLED = 137;

/**
 * pods/exec has no way to end a process: closing the stream leaves it running, and only its input ends. So the shell
 * around the command waits for both, the end of the time and the end of an input on which nothing ever comes, and then
 * kills the whole group, itself included: container runtimes begin a session for each exec, so the group is its own.
 * Where it is not, only the command itself may be killed. What waits has no output, or it would keep the exec open.
 */
const WATCHDOG = [
  'limit=$1; shift',
  'exec 3<&0 </dev/null',
  'third() { echo "$3"; }',
  'read -r stat </proc/$$/stat',
  '"$@" 3<&- & command=$!',
  '[ "$(third ${stat##*) })" = $$ ] && all=-$$ || all=$command',
  '(sleep "$limit" 3<&-; kill -KILL "$all") </dev/null >/dev/null 2>&1 & watchdog=$!',
  '(while read -r _ <&3; do :; done; kill -KILL "$all") >/dev/null 2>&1 & lifeline=$!',
  'wait "$command" 2>/dev/null; code=$?',
  'kill "$lifeline" 2>/dev/null',
  `kill "$watchdog" 2>/dev/null || { [ "$code" = ${KILLED} ] && code=${TIMED_OUT}; }`,
  'exit "$code"',
].join('\n');

/** The command as run through the API server, under the watchdog. Needs `/bin/sh` and `sleep` in the image. */
export function watchedCommand(request: ExecRequest): string[] {
  return ['/bin/sh', '-c', WATCHDOG, 'sh', String(request.timeoutSeconds), ...request.command];
}

/** Runs a command with pods/exec. Rejects with KubeError when the exec cannot be opened. */
export function execViaApiServer(access: ClusterAccess): ExecPaths['viaApiServer'] {
  return async (target: Target, request: ExecRequest, signal: AbortSignal): Promise<ExecResult> => {
    const started = performance.now();
    const deadline = AbortSignal.timeout(request.timeoutSeconds * 1000 + GRACE_MS);
    const stream = await execInPod(access, {
      namespace: target.namespace,
      pod: target.pod,
      container: MAIN_CONTAINER,
      command: watchedCommand(request),
      stdin: true, // its end tells the pod that nobody waits any more
      signal: AbortSignal.any([signal, deadline]),
    });
    const stdout = new Collector(MAX_STREAM);
    const stderr = new Collector(MAX_STREAM);
    const ended = Promise.all([stdout.read(stream.stdout), stderr.read(stream.stderr), stream.exit]);
    const code = await ended.then(
      ([, , exit]) => exit.code,
      (error: unknown) => {
        if (deadline.aborted && !signal.aborted) return TIMED_OUT;
        throw error;
      },
    );
    const durationMs = Math.round(performance.now() - started);
    const timedOut = (code === TIMED_OUT || code === KILLED) && durationMs >= request.timeoutSeconds * 1000;
    return {
      exitCode: timedOut ? -1 : code,
      stdout: stdout.text(),
      stderr: stderr.text(),
      durationMs,
      timedOut,
      ...(stdout.truncated || stderr.truncated ? { truncated: true } : {}),
    };
  };
}
