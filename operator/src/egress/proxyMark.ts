// SPDX-License-Identifier: Apache-2.0
import type { Pod } from '../core.ts';

/** The variable that carries the pod's uid to the gateway, and by which a pod that knows of the gateway is told. */
export const POD_UID = 'AGENTTIER_POD_UID';

/** Whether the programs of a pod were told of the gateway. Names with this beginning are ours alone. */
export const hasProxy = (pod: Pod | undefined): boolean =>
  (pod?.spec.containers ?? []).some(({ env = [] }) => env.some(({ name }) => name === POD_UID));
