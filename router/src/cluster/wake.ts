// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { activeHold } from '@agenttier/crds/lifecycle/hold';
import { ANNOTATION_RETRY, ANNOTATION_TRACEPARENT, FIELD_MANAGER_ROUTER } from '@agenttier/crds/meta/labels';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient, WriteOptions } from '@agenttier/machinery/kube/client';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { currentTrace, formatTraceparent } from '@agenttier/machinery/telemetry/tracing';
import { refusals } from '../api/errors.ts';
import { phaseOf, wantsToRun } from '../api/sandboxes/view.ts';
import { mayDo, scopeRefusal } from '../auth/authorize.ts';
import { impersonationOf } from '../auth/principal.ts';
import type { Principal } from '../auth/principal.ts';
import { changed } from './awaitTarget.ts';
import type { Stores } from './caches.ts';
import type { Found } from './lookup.ts';

export interface WakeOptions {
  readonly client: Pick<KubeClient, 'patch'>;
  readonly stores: Pick<Stores, 'sandboxes' | 'pods' | 'keys'>;
  /** Longest wait for the sandbox to run, in milliseconds. */
  readonly waitMs: number;
  readonly now?: () => number;
}

/** Who wants to use the sandbox. */
export interface Visitor {
  readonly principal: Principal;
  readonly signal?: AbortSignal;
}

export type Wake = (found: Found, visitor: Visitor) => Promise<Sandbox>;

/**
 * Starts a sandbox that is asleep because somebody wants to use it, where its owner has allowed that (`spec.autoResume`),
 * and waits until it runs. The start is asked for in the name of the person, so admission judges it like any resume. A
 * sandbox in Error is left alone: use would start it over and over. Throws the refusal when it may not or cannot start, and
 * a 503 when it takes too long; it then goes on starting.
 */
export function wakeOnUse(options: WakeOptions): Wake {
  return async (found, visitor) => {
    const { sandbox } = found;
    if (sandbox.spec?.autoResume !== true || phaseOf(sandbox) === 'Deleting') return sandbox;
    if (isAsleep(sandbox)) await start(options, found, visitor);
    else if (phaseOf(sandbox) !== 'Creating' && phaseOf(sandbox) !== 'Stopped') return sandbox;
    return untilRunning(options, sandbox, visitor.signal);
  };
}

/** Stopped, or on the way there, by its owner or by a timeout. */
function isAsleep(sandbox: Sandbox): boolean {
  if (phaseOf(sandbox) === 'Error') return false;
  return !wantsToRun(sandbox) || activeHold(sandbox)?.outcome === 'Stopped';
}

async function start(options: WakeOptions, { sandbox, role }: Found, visitor: Visitor): Promise<void> {
  const { principal, signal } = visitor;
  const scope = scopeRefusal(principal, 'resume', sandbox.metadata.name);
  if (scope !== undefined) throw refusals.scopedKey(`the sandbox is stopped: ${scope}`);
  if (!mayDo(role, 'resume')) throw refusals.notRunning(`${phaseOf(sandbox)}; only its owner may start it`);
  await resumeAs(options, sandbox, principal, { signal });
}

/** Asks for Running, and for another attempt after whatever keeps the sandbox down. */
export async function resumeAs(
  {
    client,
    stores,
    now = Date.now,
  }: Pick<WakeOptions, 'client' | 'now'> & { stores: Pick<Stores, 'sandboxes'> },
  { metadata }: Sandbox,
  principal: Principal,
  how: Pick<WriteOptions, 'signal' | 'dryRun'> = {},
): Promise<void> {
  const { namespace, name = '', uid } = metadata;
  const annotations = { [ANNOTATION_RETRY]: new Date(now()).toISOString(), ...traceAnnotation() };
  // The uid keeps the wish from a sandbox that was made anew under this name meanwhile.
  const body = { metadata: { uid, annotations }, spec: { desiredState: 'Running' } };
  const patched = await client.patch<Sandbox & KubeObject>(
    SANDBOXES,
    { namespace, name },
    { type: 'merge', body },
    {
      impersonate: impersonationOf(principal),
      fieldManager: FIELD_MANAGER_ROUTER,
      ...how,
    },
  );
  if (!how.dryRun) stores.sandboxes.applyLocal(patched);
}

/** Lets admission and the operator go on with the trace of the request that asked for a start. */
export function traceAnnotation(): Record<string, string> {
  const trace = currentTrace();
  return trace === undefined ? {} : { [ANNOTATION_TRACEPARENT]: formatTraceparent(trace) };
}

async function untilRunning(
  { stores, waitMs }: WakeOptions,
  { metadata }: Sandbox,
  signal: AbortSignal | undefined,
): Promise<Sandbox> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const sandbox = stores.sandboxes.get(metadata.namespace, metadata.name ?? '');
    if (sandbox === undefined || sandbox.metadata.uid !== metadata.uid) throw refusals.notRunning('deleted');
    if (isThere(sandbox)) return sandbox;
    const left = deadline - performance.now();
    if (left <= 0 || signal?.aborted) throw refusals.stillStarting(waitMs / 1000, reasonOf(sandbox));
    await changed(stores, left, signal);
  }
}

/** Running anew; the Running of a pod that is still being ended is not meant. Throws when there is nothing to wait for. */
function isThere(sandbox: Sandbox): boolean {
  const phase = phaseOf(sandbox);
  if (phase === 'Deleting') throw refusals.notRunning('Deleting');
  if (phase === 'Error') throw refusals.notRunning(`Error: it could not be started: ${reasonOf(sandbox)}`);
  if (isAsleep(sandbox)) throw refusals.notRunning('stopping: somebody has just stopped it');
  return phase === 'Running' && sandbox.status?.reason !== 'Stopping';
}

const reasonOf = ({ status }: Sandbox): string =>
  [status?.reason, status?.message].filter(Boolean).join(': ') || 'the operator has not looked at it yet';
