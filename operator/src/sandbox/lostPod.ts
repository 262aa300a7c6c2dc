// SPDX-License-Identifier: Apache-2.0
import { isConflict, isNotFound } from '@agenttier/machinery/kube/errors';
import { NODES, PODS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Action } from '../decision/actions.ts';
import { absent } from './context.ts';
import type { Effect, PerformContext } from './context.ts';

interface Node extends KubeObject {
  readonly spec?: { readonly taints?: readonly { readonly key: string }[] };
}

/** Kubernetes' word of an administrator that nothing runs on the node any more. */
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

type Release = Extract<Action, { do: 'releaseLostPod' }>;

/**
 * Takes a pod away that nobody is left to end. The node is asked for at the API server itself, since a volume that is
 * mounted twice is lost; the uid precondition keeps a later pod of the name safe.
 */
export async function releaseLostPod(
  { name, uid, node }: Release,
  { client, owner, signal }: PerformContext,
): Promise<Effect> {
  // Never bound to a node: no kubelet knows of it, and its deletion needs none.
  const found =
    node === '' ? undefined : await client.get<Node>(NODES, { name: node }, { signal }).catch(absent);
  const gone = found === undefined || (found.spec?.taints ?? []).some(({ key }) => key === OUT_OF_SERVICE);
  if (!gone) return 'unchanged';
  const options = { preconditions: { uid }, gracePeriodSeconds: 0, signal };
  await client.delete(PODS, { namespace: owner.namespace, name }, options).catch((error: unknown) => {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  });
  return 'unchanged';
}
