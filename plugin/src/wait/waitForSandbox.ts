// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { isKubeError, isNetworkError } from '@agenttier/machinery/kube/errors';
import { type Cluster, callOptions } from '../context/cluster.ts';
import { CommandError } from '../context/failure.ts';
import type { Host } from '../context/host.ts';

/** What a state of the sandbox means to somebody who waits; undefined stands for "there is none". */
export type Verdict = 'reached' | 'pending' | { readonly failed: string };
export type Judge = (sandbox: Sandbox | undefined) => Verdict;

export interface Waiting {
  readonly host: Host;
  readonly cluster: Cluster;
  readonly name: string;
  readonly judge: Judge;
  readonly timeoutMs: number;
}

/** Pause before a watch is opened again after the last one failed. */
const RETRY_MS = 500;

/**
 * Watches one sandbox until the judge has its say. Answers the sandbox as it is then, undefined when it is gone. Throws
 * CommandError when the judge calls it failed or time runs out (with the last known state).
 */
export async function waitForSandbox(waiting: Waiting): Promise<Sandbox | undefined> {
  const { host, timeoutMs } = waiting;
  const deadline = new AbortController();
  const stop = new AbortController();
  void host.clock.sleep(timeoutMs, stop.signal).then(
    () => deadline.abort(),
    () => undefined,
  );
  const last: Last = {};
  try {
    return await follow(waiting, AbortSignal.any([host.signal, deadline.signal]), last);
  } catch (error) {
    if (!deadline.signal.aborted) throw error;
    throw new CommandError(
      `timed out waiting for sandbox "${waiting.name}" after ${timeoutMs / 1000}s: ${stateText(last.sandbox)}`,
    );
  } finally {
    stop.abort();
  }
}

type Last = { sandbox?: Sandbox | undefined };

async function follow(waiting: Waiting, signal: AbortSignal, last: Last): Promise<Sandbox | undefined> {
  for (;;) {
    try {
      if (await reachedInOneWatch(waiting, signal, last)) return last.sandbox;
    } catch (error) {
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
      await waiting.host.clock.sleep(RETRY_MS, signal);
    }
  }
}

/** False when the watch ended before the judge had its say. */
async function reachedInOneWatch(waiting: Waiting, signal: AbortSignal, last: Last): Promise<boolean> {
  for await (const sandbox of states(waiting, signal)) {
    last.sandbox = sandbox;
    const verdict = waiting.judge(sandbox);
    if (verdict === 'reached') return true;
    if (verdict !== 'pending') throw new CommandError(`sandbox "${waiting.name}" ${verdict.failed}`);
  }
  return false;
}

/** The state now and every later one, until the watch ends. */
async function* states(waiting: Waiting, signal: AbortSignal): AsyncGenerator<Sandbox | undefined> {
  const { host, cluster, name } = waiting;
  const query = { namespace: cluster.namespace, fieldSelector: `metadata.name=${name}` };
  const { items, resourceVersion } = await cluster.client.list<Sandbox>(SANDBOXES, query, {
    ...callOptions(host),
    signal,
  });
  yield items[0];
  const events = cluster.client.watch<Sandbox>(SANDBOXES, { ...query, resourceVersion }, { signal });
  for await (const event of events) {
    if (event.type === 'ADDED' || event.type === 'MODIFIED') yield event.object;
    else if (event.type === 'DELETED') yield undefined;
    else if (event.type === 'ERROR') return;
  }
}

/** Worth another try: the API server is away, busy, or has forgotten the resource version. */
function isPassing(error: unknown): boolean {
  return isNetworkError(error) || (isKubeError(error) && [410, 429, 500, 503, 504].includes(error.status));
}

/**
 * Running and up to date. `stale` is a status to disregard: right after a resume the old Error still stands there until
 * the operator has looked.
 */
export function runningJudge(stale?: Sandbox['status']): Judge {
  const old = stale === undefined ? undefined : JSON.stringify(stale);
  return (sandbox) => {
    if (sandbox === undefined) return { failed: 'does not exist' };
    if (sandbox.metadata.deletionTimestamp !== undefined) return { failed: 'is being deleted' };
    if (isBehind(sandbox) || JSON.stringify(sandbox.status) === old) return 'pending';
    if (sandbox.status?.phase === 'Running') return 'reached';
    return sandbox.status?.phase === 'Error' ? { failed: `cannot run: ${reasonText(sandbox)}` } : 'pending';
  };
}

export const stoppedJudge: Judge = (sandbox) => {
  if (sandbox === undefined) return { failed: 'does not exist' };
  return !isBehind(sandbox) && sandbox.status?.phase === 'Stopped' ? 'reached' : 'pending';
};

export const deletedJudge: Judge = (sandbox) => (sandbox === undefined ? 'reached' : 'pending');

/** True when a condition has the wanted status ("True" in most cases). */
export function conditionJudge(type: string, status: string): Judge {
  return (sandbox) => {
    if (sandbox === undefined) return { failed: 'does not exist' };
    const condition = sandbox.status?.conditions?.find(
      (one) => one.type.toLowerCase() === type.toLowerCase(),
    );
    return condition?.status.toLowerCase() === status.toLowerCase() ? 'reached' : 'pending';
  };
}

/** The status is about an older spec than the one there is. */
function isBehind(sandbox: Sandbox): boolean {
  const { observedGeneration } = sandbox.status ?? {};
  return observedGeneration !== undefined && observedGeneration < (sandbox.metadata.generation ?? 0);
}

function reasonText(sandbox: Sandbox): string {
  const { reason, message } = sandbox.status ?? {};
  return [reason, message].filter(Boolean).join(': ') || 'no reason is given';
}

function stateText(sandbox: Sandbox | undefined): string {
  if (sandbox === undefined) return 'it does not exist';
  const unmet = sandbox.status?.conditions
    ?.filter((one) => one.status !== 'True')
    .map((one) => `${one.type}: ${one.message || one.reason}`);
  const details = unmet?.length ? ` (${unmet.join('; ')})` : '';
  return `it is ${sandbox.status?.phase || 'not started yet'}${details}`;
}
