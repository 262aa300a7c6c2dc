// SPDX-License-Identifier: Apache-2.0
import type { FallbackReason, PtyQuery, RuntimeClient } from '../../cluster/runtimeClient.ts';
import { RuntimeRefused, RuntimeUnreachable } from '../../cluster/runtimeErrors.ts';
import type { Target } from '../../cluster/target.ts';
import type { PtyLink } from './link.ts';
import { RuntimeLink } from './runtimeLink.ts';

export interface PtyPaths {
  readonly runtime: Pick<RuntimeClient, 'dialPty' | 'closed'>;
  readonly viaApiServer: (target: Target, query: PtyQuery) => Promise<PtyLink>;
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
  { runtime, pingMs, onEcho }: PtyPaths,
  target: Target,
  query: PtyQuery,
): Promise<PtyLink | FallbackReason> {
  const closed = runtime.closed(target);
  if (closed !== undefined) return closed;
  try {
    return new RuntimeLink(await runtime.dialPty(target, query), { pingMs, onEcho });
  } catch (error) {
    if (error instanceof RuntimeUnreachable) return 'unreachable';
    if (error instanceof RuntimeRefused && error.status === 401) return 'refused';
    throw error;
  }
}
