// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec } from '@agenttier/crds/generated/types';
import { planSecrets, projectedSecrets } from '../harness/secrets.ts';
import { isTerminating } from '../sandbox/state.ts';
import type { SandboxState } from '../sandbox/state.ts';
import type { Action } from './actions.ts';

/**
 * Makes the Secrets that the next pod, or the present one while it starts, takes files and scripts from, and removes
 * those that neither needs. A pod that is up keeps what it was made with: what changed since comes with the next start.
 */
export function provisionActions(
  state: SandboxState,
  spec: EffectiveSpec,
  create: boolean,
): readonly Action[] {
  const { owner, pod, planSecrets: live = [] } = state;
  const used = projectedSecrets(pod);
  const wanted = planSecrets(owner, spec);
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  const there = new Set(live.map(({ metadata }) => metadata.name));
  const missing = wanted.filter(
    ({ metadata: { name = '' } }) => !there.has(name) && (pod === undefined || used.has(name)),
  );
  const stale = live.filter(
    (one) => !names.has(one.metadata.name) && !used.has(one.metadata.name ?? '') && !isTerminating(one),
  );
  return [
    ...(create ? missing.map((body): Action => ({ do: 'create', kind: 'planSecret', body })) : []),
    ...stale.map(
      ({ metadata: { name = '', uid = '' } }): Action => ({ do: 'delete', kind: 'planSecret', name, uid }),
    ),
  ];
}
