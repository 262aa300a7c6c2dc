// SPDX-License-Identifier: Apache-2.0
import { writeInstallLog } from '../agent/writes.ts';
import type { Action, Plan } from '../decision/actions.ts';
import type { Effect, PerformContext } from './context.ts';
import { adoptSlot, claimSlot } from './claim.ts';
import { releaseLostPod } from './lostPod.ts';
import { create, disown, findPvc, remove, repair } from './ownedWrites.ts';
import { resizePod } from './resizePod.ts';
import { clearAction, findPullSecret, releaseFinalizer, writeStatus } from './sandboxWrites.ts';

/**
 * Carries a plan out. Returns whether anything changed that the next plan should see. Rejects with the first KubeError
 * that repeating may cure; answers that it will not cure become notes. Every answer goes into the cache before this
 * resolves, so the next decision is never taken on the state before the last one.
 */
export async function perform(plan: Plan, context: PerformContext): Promise<boolean> {
  let changed = false;
  for (const stage of plan.stages) {
    const results = await Promise.allSettled(stage.map((action) => run(action, context)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const effects = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    // What a stage needs from the one before must be acknowledged: a NetworkPolicy that was refused means no pod.
    if (effects.includes('halt')) return true;
    changed = effects.includes('changed') || changed;
  }
  return changed;
}

type Handlers = {
  readonly [D in Action['do']]: (
    action: Extract<Action, { do: D }>,
    context: PerformContext,
  ) => Effect | Promise<Effect>;
};

const HANDLERS: Handlers = {
  create: ({ kind, body }, context) => create(kind, body, context),
  repair: ({ kind, body }, context) => repair(kind, body, context),
  delete: remove,
  disown,
  status: writeStatus,
  announce({ events }, context) {
    context.announce(context.sandbox, events, []);
    return 'unchanged';
  },
  claimSlot,
  adoptSlot,
  clearAction: (_, context) => clearAction(context),
  releaseFinalizer: (_, context) => releaseFinalizer(context),
  probeRuntime({ podUid, podIp }, context) {
    context.probe(podUid, podIp);
    return 'unchanged';
  },
  tellAgent({ task }, context) {
    context.tellAgent(task);
    return 'unchanged';
  },
  installLog: ({ body }, context) => writeInstallLog(body, context),
  runJob({ podName, podUid, sandboxUid, id, call }, context) {
    const pod = context.caches.pods.get(context.owner.namespace, podName);
    if (pod?.metadata.uid === podUid) context.runJob({ id, call }, pod, sandboxUid);
    return 'unchanged';
  },
  releaseLostPod,
  resizePod,
  findPullSecret: ({ name }, context) => findPullSecret(name, context),
  findPvc: ({ name }, context) => findPvc(name, context),
};

/** The handler of an action takes that action: a connection that the type of a lookup by name cannot express. */
async function run(action: Action, context: PerformContext): Promise<Effect> {
  const handler = HANDLERS[action.do] as (
    action: Action,
    context: PerformContext,
  ) => Effect | Promise<Effect>;
  return handler(action, context);
}
