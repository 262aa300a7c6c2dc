// SPDX-License-Identifier: Apache-2.0
import { refusals } from '../api/errors.ts';
import type { ExecRequest, ExecResult, RuntimeClient } from '../cluster/runtimeClient.ts';
import type { Reachability } from '../cluster/reachability.ts';
import { RuntimeRefused, RuntimeUnreachable } from '../cluster/runtimeErrors.ts';
import type { Target } from '../cluster/target.ts';

export type Transport = 'runtime' | 'exec';

export interface ExecOutcome {
  readonly transport: Transport;
  readonly result: ExecResult;
}

/** Why the way over the API server was taken; a label of the fallback metric. */
export type FallbackReason = 'no_token' | 'no_address' | 'unreachable' | 'recently_unreachable' | 'refused';

export interface ExecPaths {
  readonly runtime: Pick<RuntimeClient, 'exec'>;
  readonly viaApiServer: (target: Target, request: ExecRequest, signal: AbortSignal) => Promise<ExecResult>;
  readonly reachability: Reachability;
  readonly onFallback: (reason: FallbackReason) => void;
}

/** Runs a command in a pod: over the runtime, or through the API server when the runtime cannot be reached. */
export async function execInTarget(
  paths: ExecPaths,
  target: Target,
  request: ExecRequest,
  signal: AbortSignal,
): Promise<ExecOutcome> {
  const tried = await tryRuntime(paths, target, request, signal);
  if (typeof tried !== 'string') return { transport: 'runtime', result: tried };
  paths.onFallback(tried);
  if (needsRuntime(request)) {
    throw refusals.transportLost(
      `the runtime of the sandbox cannot be reached (${tried}); without it a command has no stdin, workingDir, env, encoding or limits`,
    );
  }
  return { transport: 'exec', result: await paths.viaApiServer(target, request, signal) };
}

/** Whether it has what pods/exec cannot give: the command would run otherwise than was asked for. */
const needsRuntime = ({ command: _command, timeoutSeconds: _seconds, ...more }: ExecRequest): boolean =>
  Object.keys(more).length > 0;

async function tryRuntime(
  { runtime, reachability }: ExecPaths,
  target: Target,
  request: ExecRequest,
  signal: AbortSignal,
): Promise<ExecResult | FallbackReason> {
  if (!target.runtime) return target.reason ?? 'no_address';
  if (!reachability.isReachable(target.podUid)) return 'recently_unreachable';
  try {
    return await runtime.exec(target.runtime, request, signal);
  } catch (error) {
    if (error instanceof RuntimeUnreachable) {
      reachability.failed(target.podUid);
      return 'unreachable';
    }
    // The token that we know is not the one that the runtime reads: nothing ran, and the API server needs none.
    if (error instanceof RuntimeRefused && error.status === 401) return 'refused';
    throw error;
  }
}
