// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '../generated/types.ts';
import type { Violation } from '../meta/violation.ts';
import type { EffectivePolicy } from './effective.ts';
import { evaluate } from './evaluate.ts';

/**
 * What a policy would refuse in a sandbox that was admitted earlier. It goes on running: a policy that was tightened says
 * no at the next resume. Undefined = the policy cannot be read, which admission answers for.
 */
export function violationsNow(sandbox: Sandbox, policy: EffectivePolicy | undefined): readonly Violation[] {
  const { spec = {}, metadata } = sandbox;
  const { resolved } = spec;
  if (resolved?.spec === undefined || policy === undefined) return [];
  return evaluate({ namespace: metadata.namespace ?? '', spec, resolved, policy }).violations;
}
