// SPDX-License-Identifier: Apache-2.0
import { FIELD_MANAGER_OPERATOR } from '@agenttier/crds/meta/labels';
import { isKubeError } from '@agenttier/machinery/kube/errors';
import { PODS } from '@agenttier/machinery/kube/resource';
import type { Pod } from '../core.ts';
import type { Action } from '../decision/actions.ts';
import type { Effect, PerformContext } from './context.ts';
import { MAIN_CONTAINER } from './pod.ts';

type Resize = Extract<Action, { do: 'resizePod' }>;

/** Answers that asking again would not change: no such subresource, or not this change for this pod. */
const FINAL: ReadonlySet<number> = new Set([400, 403, 404, 405, 422]);

/**
 * Changes CPU and memory of the main container in place. The uid keeps it from a later pod of the name. A refusal is noted
 * for this generation of the spec: the next start brings the change then, or another edit.
 */
export async function resizePod({ name, uid, resources }: Resize, context: PerformContext): Promise<Effect> {
  const { client, owner, caches, notes, generation, signal } = context;
  const body = { metadata: { uid }, spec: { containers: [{ name: MAIN_CONTAINER, resources }] } };
  const options = { subresource: 'resize', fieldManager: FIELD_MANAGER_OPERATOR, signal } as const;
  try {
    const key = { namespace: owner.namespace, name };
    caches.pods.applyLocal(await client.patch<Pod>(PODS, key, { type: 'strategic', body }, options));
  } catch (error) {
    if (!isKubeError(error) || !FINAL.has(error.status)) throw error;
    const unknown = error.status === 404 || error.status === 405;
    notes.resizeRefused({
      generation,
      message: unknown ? 'this cluster cannot change a pod' : error.message,
    });
  }
  return 'changed';
}
