// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import { evaluate } from '@agenttier/crds/governance/evaluate';
import { equalJson } from '@agenttier/crds/meta/canonical';
import { isDnsLabel } from '@agenttier/crds/meta/names';
import type { Violation } from '@agenttier/crds/meta/violation';
import { resolve } from '@agenttier/crds/template/merge';
import type { ResolveSettings } from '@agenttier/crds/template/merge';
import { unsupportedFields } from '@agenttier/crds/template/unsupported';
import type { Lookup } from '../lookup.ts';
import { newViolations } from '../ratchet.ts';
import { ALLOW } from '../review.ts';
import type { AdmissionRequest, Handler, Verdict } from '../review.ts';

export interface WarmPoolOptions {
  readonly lookup: Pick<Lookup, 'chain' | 'policy'>;
  readonly settings: ResolveSettings;
}

type Spec = SandboxWarmPool['spec'];

function poolOf(object: unknown): SandboxWarmPool | undefined {
  const pool = object as Partial<SandboxWarmPool> | null | undefined;
  return pool?.spec?.templateRef?.name ? (pool as SandboxWarmPool) : undefined;
}

function formViolations({ metadata, spec }: SandboxWarmPool): Violation[] {
  const { name = '' } = metadata;
  const unfit = unsupportedFields('SandboxWarmPool', spec);
  if (isDnsLabel(name)) return unfit;
  const message = 'the name marks the pods of the pool, so it must be a DNS label of at most 63 characters';
  return [{ code: 'invalid_value', field: 'metadata.name', message, actual: name }, ...unfit];
}

/** What a sandbox would say that has the pool's template and volume, and nothing else. */
function sandboxOf({ templateRef, volume }: Spec): object {
  const { size, storageClass } = volume ?? {};
  const storage = { ...(size === undefined ? {} : { size }), ...(storageClass ? { storageClass } : {}) };
  return { templateRef, ...(Object.keys(storage).length > 0 ? { storage } : {}) };
}

/** A pool may keep what its namespace's policy would admit as a sandbox: no more, or it would be a way around it. */
async function judge(pool: SandboxWarmPool, options: WarmPoolOptions, signal: AbortSignal): Promise<Verdict> {
  const { namespace = '' } = pool.metadata;
  const { lookup, settings } = options;
  const [chain, policy] = await Promise.all([
    lookup.chain(pool.spec.templateRef, namespace, { signal }),
    lookup.policy(namespace, { signal }),
  ]);
  const failures = [...(chain.ok ? [] : [chain.violation]), ...(policy.ok ? [] : [policy.violation])];
  if (!chain.ok || !policy.ok) return { violations: failures };
  const spec = sandboxOf(pool.spec);
  const { resolved, warnings } = resolve(spec, chain.chain, { ...settings, effectivePolicy: policy.policy });
  const verdict = evaluate({ namespace, spec, resolved, policy: policy.policy });
  return { violations: verdict.violations, warnings: [...warnings, ...verdict.warnings] };
}

const sameTemplate = (a: Spec, b: Spec): boolean =>
  equalJson(a.templateRef, b.templateRef) && equalJson(a.volume, b.volume);

/**
 * `/validate/warmpools`. Who may write pools is a matter of RBAC. A change of the numbers alone, `kubectl scale`
 * above all, is not held against policies and templates: what they refuse is not built anyway.
 */
export function validateWarmPools(options: WarmPoolOptions): Handler {
  return async (request: AdmissionRequest, signal): Promise<Verdict> => {
    const pool = poolOf(request.object);
    const old = request.operation === 'UPDATE' ? poolOf(request.oldObject) : undefined;
    if (request.operation === 'DELETE' || !pool || pool.metadata.deletionTimestamp) return ALLOW;
    if (old && equalJson(pool.spec, old.spec)) return ALLOW;
    const form = newViolations(formViolations(pool), old ? formViolations(old) : []);
    if (old && sameTemplate(pool.spec, old.spec)) return { violations: form };
    const { violations, ...rest } = await judge(placed(pool, request), options, signal);
    return { violations: [...form, ...violations], ...rest };
  };
}

const placed = (pool: SandboxWarmPool, { namespace = '' }: AdmissionRequest): SandboxWarmPool => ({
  ...pool,
  metadata: { ...pool.metadata, namespace },
});
