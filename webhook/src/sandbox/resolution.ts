// SPDX-License-Identifier: Apache-2.0
import type { Resolved, SandboxSpec } from '@agenttier/crds/generated/types';
import type { EffectivePolicy } from '@agenttier/crds/governance/effective';
import type { Violation } from '@agenttier/crds/meta/violation';
import { isSealed } from '@agenttier/crds/sandbox/validate';
import type { Composition, TemplateObject } from '@agenttier/crds/template/compose';
import { resolve, resolveOver } from '@agenttier/crds/template/merge';
import type { ResolveSettings } from '@agenttier/crds/template/merge';
import type { PolicyOutcome } from '../lookup.ts';
import type { ResolveReason } from './change.ts';
import { copyOf } from './origins.ts';
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
      /** What a stored sandbox that was never merged comes to, so that an edit answers only for what it changes. */
      readonly before?: Resolved;
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

/** A sandbox that exists already, and why its spec is worked out again. */
export interface Change {
  readonly sandbox: SpecifiedSandbox;
  readonly old: SpecifiedSandbox;
  readonly reason: Exclude<ResolveReason, 'create'>;
}

/**
 * Templates reach a sandbox when it is created and, unless it is pinned, when it is resumed. An edit in between is laid
 * over what the templates said then, which the sandbox carries: so a new image or network rule of a template never
 * comes along with an unrelated edit, and neither edit nor resume is lost because a template went away.
 */
export function resolveAgain(change: Change, gathered: Gathered, settings: ResolveSettings): Resolution {
  const { chain, policy } = gathered;
  const bound = { ...settings, ...fixedBy(change.old) };
  const kept = change.old.spec.resolved;
  if (kept === undefined) return resolveFirst(change, gathered, bound);
  if (!policy.ok || !kept.spec || !isSealed(kept) || isFresh(change, kept, chain)) {
    return resolveSandbox(change.sandbox.spec, gathered, bound);
  }
  const { resolved, warnings } = resolveOver(kept, change.sandbox.spec, {
    ...bound,
    effectivePolicy: policy.policy,
  });
  const gone =
    chain?.ok === false ? [`${chain.violation.message}; going on with what was merged earlier`] : [];
  return { ok: true, resolved, policy: policy.policy, warnings: [...gone, ...warnings] };
}

/** A sandbox from before the webhook. */
function resolveFirst({ sandbox, old }: Change, gathered: Gathered, settings: ResolveSettings): Resolution {
  const resolution = resolveSandbox(sandbox.spec, gathered, settings);
  const before = resolveSandbox(old.spec, gathered, settings);
  return resolution.ok && before.ok ? { ...resolution, before: before.resolved } : resolution;
}

/** Whether the templates are read as they are now: it is their turn, or they are what they were. */
function isFresh({ sandbox, reason }: Change, kept: Resolved, chain: Gathered['chain']): boolean {
  if (chain?.ok === false) return false;
  const pinned = sandbox.spec.templateUpdatePolicy === 'Pinned';
  return (reason === 'resume' && !pinned) || isSameChain(kept, chain?.chain ?? []);
}

function isSameChain(kept: Resolved, chain: readonly TemplateObject[]): boolean {
  const links = kept.chain ?? [];
  return (
    links.length === chain.length &&
    chain.every(({ kind, metadata }, i) => {
      const link = links[i];
      const same =
        link?.kind === kind && link.name === metadata.name && link.namespace === metadata.namespace;
      return same && link.uid === metadata.uid && link.generation === metadata.generation;
    })
  );
}

/** What a sandbox that exists has decided for good. */
function fixedBy(old: SpecifiedSandbox): Pick<ResolveSettings, 'volume' | 'volumeWins' | 'mode'> {
  const mode = old.spec.resolved?.spec?.mode;
  const volumeWins = Boolean(old.spec.cloneFromSnapshot);
  return { volume: boundVolume(old), volumeWins, ...(mode === undefined ? {} : { mode }) };
}

/** What the volume was made with, once there is one; of a copy that is still to be made what admission found out. */
function boundVolume({ status, spec }: SpecifiedSandbox): ResolveSettings['volume'] {
  const storage = spec.resolved?.spec?.storage;
  if (status?.pvcName) return storage;
  if (storage === undefined || (!spec.cloneFrom && !spec.cloneFromSnapshot)) return undefined;
  return copyOf(storage);
}
