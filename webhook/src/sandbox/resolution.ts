// SPDX-License-Identifier: Apache-2.0
import type { Resolved, SandboxSpec } from '@agenttier/crds/generated/types';
import type { EffectivePolicy } from '@agenttier/crds/governance/effective';
import type { Violation } from '@agenttier/crds/meta/violation';
import type { Composition } from '@agenttier/crds/template/compose';
import { resolve } from '@agenttier/crds/template/merge';
import type { ResolveSettings } from '@agenttier/crds/template/merge';
import type { PolicyOutcome } from '../lookup.ts';
import { userFieldsChanged } from './change.ts';
import type { SpecifiedSandbox } from './specified.ts';

/** What the shell has looked up for one sandbox. `chain` is absent when the sandbox names no template. */
export interface Gathered {
  readonly chain?: Composition;
  readonly policy: PolicyOutcome;
}

/** The resolved spec that the sandbox must carry, or why there is none. */
export type Resolution =
  | {
      readonly ok: true;
      readonly resolved: Resolved;
      readonly policy: EffectivePolicy;
      readonly warnings: readonly string[];
      /** Kind of the template that `templateRef` turned out to name. */
      readonly templateKind?: string;
    }
  | { readonly ok: false; readonly violations: readonly Violation[] };

function failures({ chain, policy }: Gathered): Violation[] {
  return [...(chain?.ok === false ? [chain.violation] : []), ...(policy.ok ? [] : [policy.violation])];
}

/** Merges the looked-up chain, the sandbox and the policy's clamps. All lookups that failed are reported together. */
export function resolveSandbox(spec: SandboxSpec, gathered: Gathered, settings: ResolveSettings): Resolution {
  const { chain, policy } = gathered;
  if (chain?.ok === false || !policy.ok) return { ok: false, violations: failures(gathered) };
  const links = chain?.chain ?? [];
  const templateKind = links.at(-1)?.kind;
  const { resolved, warnings } = resolve(spec, links, { ...settings, effectivePolicy: policy.policy });
  return {
    ok: true,
    resolved,
    warnings,
    policy: policy.policy,
    ...(templateKind === undefined ? {} : { templateKind }),
  };
}

/**
 * A sandbox that is only resumed must not be lost because its template went away meanwhile: it keeps the copy that it
 * carries. Everything else needs the chain.
 */
export function resolveAgain(
  sandbox: SpecifiedSandbox,
  old: SpecifiedSandbox,
  gathered: Gathered,
  settings: ResolveSettings,
): Resolution {
  const resolution = resolveSandbox(sandbox.spec, gathered, settings);
  const { chain, policy } = gathered;
  const kept = old.spec.resolved;
  if (resolution.ok || !policy.ok || !chain || chain.ok || !kept || userFieldsChanged(sandbox, old)) {
    return resolution;
  }
  const warnings = [`${chain.violation.message}; resuming with the spec resolved earlier`];
  return { ok: true, resolved: kept, policy: policy.policy, warnings };
}
