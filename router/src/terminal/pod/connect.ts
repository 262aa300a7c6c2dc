// SPDX-License-Identifier: Apache-2.0
import type { Reachability } from '../../cluster/reachability.ts';
import type { PtyQuery, RuntimeClient } from '../../cluster/runtimeClient.ts';
import { RuntimeRefused, RuntimeUnreachable } from '../../cluster/runtimeErrors.ts';
import type { Target } from '../../cluster/target.ts';
import type { FallbackReason } from '../../exec/exec.ts';
import type { PtyLink } from './link.ts';
import { RuntimeLink } from './runtimeLink.ts';

export interface PtyPaths {
  readonly runtime: Pick<RuntimeClient, 'dialPty'>;
  readonly viaApiServer: (target: Target, query: PtyQuery) => Promise<PtyLink>;
  readonly reachability: Reachability;
  readonly onFallback: (reason: FallbackReason) => void;
  readonly pingMs: number;
  /** How long the runtime took to answer a ping. */
  readonly onEcho: (seconds: number) => void;
}

/** Attaches to a session in the pod: over the runtime, or through the API server when the runtime cannot be reached. */
export async function connectPty(paths: PtyPaths, target: Target, query: PtyQuery): Promise<PtyLink> {
  const link = await tryRuntime(paths, target, query);
  if (typeof link !== 'string') return link;
  paths.onFallback(link);
  return paths.viaApiServer(target, query);
}

async function tryRuntime(
  { runtime, reachability, pingMs, onEcho }: PtyPaths,
  target: Target,
  query: PtyQuery,
): Promise<PtyLink | FallbackReason> {
  if (!target.runtime) return target.reason ?? 'no_address';
  if (!reachability.isReachable(target.podUid)) return 'recently_unreachable';
  try {
    return new RuntimeLink(await runtime.dialPty(target.runtime, query), { pingMs, onEcho });
  } catch (error) {
    if (error instanceof RuntimeUnreachable) {
      reachability.failed(target.podUid);
      return 'unreachable';
    }
    if (error instanceof RuntimeRefused && error.status === 401) return 'refused';
    throw error;
  }
}
