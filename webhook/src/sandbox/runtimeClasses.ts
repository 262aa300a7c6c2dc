// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import type { Violation } from '@agenttier/crds/meta/violation';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import { RUNTIME_CLASSES } from '@agenttier/machinery/kube/resource';

/** Says whether the runtime class that a sandbox is to run under exists. */
export interface RuntimeClasses {
  /** Rejects with KubeError when the API server cannot be asked. */
  judge(spec: EffectiveSpec, before: EffectiveSpec | undefined, signal: AbortSignal): Promise<Violation[]>;
}

const FIELD = 'spec.runtimeClass';
/** How long a class that was seen counts as there. One that is missing is asked for each time: it may be just coming. */
const SEEN_MS = 10_000;
/** Names come from people: no more than these are kept. */
const SEEN_ENTRIES = 100;

/**
 * Without this a misspelt class shows only as a pod that the API server refuses to make, long after the request. What is
 * stored already is not judged again, so a class that was removed does not lock its sandboxes.
 */
export function createRuntimeClasses(
  client: Pick<KubeClient, 'get'>,
  now: () => number = () => performance.now(),
): RuntimeClasses {
  const seen = new Map<string, number>();
  const exists = async (name: string, signal: AbortSignal): Promise<boolean> => {
    const at = seen.get(name);
    if (at !== undefined && now() - at < SEEN_MS) return true;
    try {
      await client.get(RUNTIME_CLASSES, { name }, { signal });
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
    if (seen.size >= SEEN_ENTRIES) seen.clear();
    seen.set(name, now());
    return true;
  };
  return {
    async judge({ runtimeClass }, before, signal) {
      if (!runtimeClass || before?.runtimeClass === runtimeClass) return [];
      if (await exists(runtimeClass, signal)) return [];
      const message = `${FIELD} is ${runtimeClass}, but the cluster has no RuntimeClass of that name`;
      return [{ code: 'runtime_class_not_found', field: FIELD, message, actual: runtimeClass }];
    },
  };
}
