// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import type { RuntimeAnswer, RuntimeClient, RuntimeRequest } from '../cluster/runtimeClient.ts';
import type { Reachability } from '../cluster/reachability.ts';
import { RuntimeUnreachable } from '../cluster/runtimeErrors.ts';
import type { RuntimeAddress, Target } from '../cluster/target.ts';
import type { FallbackReason, Transport } from './exec.ts';

/** The ways to the runtime of a pod, whatever is asked of it. */
export interface RuntimePaths {
  readonly runtime: Pick<RuntimeClient, 'request'>;
  readonly relay: (target: Target, request: RuntimeRequest) => Promise<RuntimeAnswer>;
  readonly reachability: Reachability;
  readonly onFallback: (reason: FallbackReason) => void;
}

export interface Reached {
  readonly transport: Transport;
  readonly answer: RuntimeAnswer;
}

/** Asks the runtime over the network, or through the API server when its port cannot be reached. */
export async function askRuntime(
  paths: RuntimePaths,
  target: Target,
  request: RuntimeRequest,
): Promise<Reached> {
  const tried = await tryNetwork(paths, target, request);
  if (typeof tried !== 'string') return { transport: 'runtime', answer: tried };
  paths.onFallback(tried);
  return { transport: 'exec', answer: await paths.relay(target, request) };
}

async function tryNetwork(
  { runtime, reachability }: RuntimePaths,
  target: Target,
  request: RuntimeRequest,
): Promise<RuntimeAnswer | FallbackReason> {
  if (!target.runtime) return target.reason ?? 'no_address';
  if (!reachability.isReachable(target.podUid)) return 'recently_unreachable';
  try {
    // What has gone out of a stream cannot go out again another way: the way is tried before.
    if (request.body instanceof Readable && !(await isOpen(runtime, target.runtime, request.signal))) {
      return 'refused';
    }
    const answer = await runtime.request(target.runtime, request);
    if (answer.status !== 401) return answer;
    answer.stream.destroy();
    return 'refused';
  } catch (error) {
    if (!(error instanceof RuntimeUnreachable)) throw error;
    reachability.failed(target.podUid);
    return 'unreachable';
  }
}

async function isOpen(
  runtime: RuntimePaths['runtime'],
  address: RuntimeAddress,
  signal: AbortSignal,
): Promise<boolean> {
  const answer = await runtime.request(address, { method: 'GET', path: '/version', signal });
  // To the end, so that the connection is there for the request itself.
  for await (const _ of answer.stream);
  return answer.status !== 401;
}
