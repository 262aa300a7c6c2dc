// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { findCondition } from '@agenttier/crds/meta/conditions';
import type { Role } from '../../auth/authorize.ts';
import { awaitTarget, changed } from '../../cluster/awaitTarget.ts';
import type { Stores } from '../../cluster/caches.ts';
import type { SandboxFinder } from '../../cluster/finder.ts';
import type { Target } from '../../cluster/target.ts';
import type { Wake } from '../../cluster/wake.ts';
import { refusals } from '../errors.ts';
import type { Call } from '../route.ts';
import { admitTo } from '../sandboxes/operations.ts';
import { modeOf } from '../sandboxes/view.ts';

export interface AdmitOptions {
  readonly stores: Pick<Stores, 'sandboxes' | 'pods' | 'keys'>;
  readonly finder: Pick<SandboxFinder, 'find'>;
  readonly wake: Wake;
}

/** An agent that runs, and how to reach its runtime. */
export interface Agent {
  readonly sandbox: Sandbox;
  readonly role: Role;
  readonly target: Target;
}

/** The operator has told a pod within moments of its start, or says what is in the way. */
const TOLD_MS = 10_000;

/**
 * The agent of the path, if the caller may do that with it: 404, 400 where it is no agent, and 409 unless it runs, in this
 * order.
 */
export async function admitAgent(
  options: AdmitOptions,
  call: Call,
  action: 'invoke' | 'configure',
): Promise<Agent> {
  const found = await admitTo(options, call, action);
  if (modeOf(found.sandbox) !== 'agent') throw refusals.noAgent(call.params['id'] ?? '');
  const sandbox = await options.wake(found, call);
  const target = await awaitTarget(options.stores, sandbox, { signal: call.signal });
  return { sandbox, role: found.role, target };
}

/**
 * Waits until the operator has told this pod how its agent is invoked, which right after a start it may not have done
 * yet. What there is to say against an invocation is the runtime's to say.
 */
export async function awaitTold(
  { stores }: Pick<AdmitOptions, 'stores'>,
  { sandbox, target }: Agent,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + TOLD_MS;
  for (;;) {
    const { namespace, name = '', uid } = sandbox.metadata;
    const now = stores.sandboxes.get(namespace, name);
    const left = deadline - performance.now();
    if (now === undefined || now.metadata.uid !== uid || !isBeingTold(now, target.podUid)) return;
    if (left <= 0 || signal.aborted) return;
    await changed(stores, left, signal);
  }
}

function isBeingTold({ status }: Sandbox, podUid: string): boolean {
  const { podUid: told, state } = status?.agentConfigure ?? {};
  if (told === podUid || state === 'Installing') return false;
  const reason = findCondition(status?.conditions, 'Configured')?.reason;
  return reason === undefined || !STUCK.has(reason);
}

const STUCK: ReadonlySet<string> = new Set(['FilesMissing', 'RuntimeUnreachable']);
