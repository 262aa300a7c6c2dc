// SPDX-License-Identifier: Apache-2.0
import type { SpecifiedSandbox } from './specified.ts';
import type { EffectivePolicy } from '@agenttier/crds/governance/effective';
import { evaluate } from '@agenttier/crds/governance/evaluate';
import type { Violation } from '@agenttier/crds/meta/violation';
import { textSizeViolations } from '@agenttier/crds/sandbox/provisionChecks';
import {
  isSealed,
  validateResolved,
  validateSandboxShape,
  validateSandboxUpdate,
} from '@agenttier/crds/sandbox/validate';
import type { Principal } from '../identity.ts';
import { newViolations } from '../ratchet.ts';
import { accessViolations } from './access.ts';
import { sameJson, specChanged } from './change.ts';
import { askedAgain, configAuthorViolations, configFormViolations, isConfigured } from './configure.ts';
import type { ResolveReason } from './change.ts';
import type { Resolution } from './resolution.ts';

export interface CreateInput {
  readonly namespace: string;
  readonly sandbox: SpecifiedSandbox;
  readonly principal: Principal;
  /** Worked out afresh from templates and policy, to hold the sandbox's own `spec.resolved` against. */
  readonly resolution: Resolution;
}

export interface UpdateInput {
  readonly namespace: string;
  readonly sandbox: SpecifiedSandbox;
  readonly old: SpecifiedSandbox;
  readonly principal: Principal;
  readonly reason: ResolveReason | undefined;
  /** Present exactly when there is a reason. */
  readonly resolution: Resolution | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Judgement {
  readonly violations: readonly Violation[];
  readonly warnings: readonly string[];
}

type Resolved = SpecifiedSandbox['spec']['resolved'];

/** Tells faults apart by what is wrong, not by where: an item of a list may have moved by the merge. */
function fault({ code, field, actual }: Violation): string {
  return JSON.stringify([code, actual ?? field]);
}

/** What is wrong with the sandbox itself and, beyond that, with what it comes to together with its templates. */
function formViolations(sandbox: SpecifiedSandbox, resolved: Resolved): Violation[] {
  const own = [...validateSandboxShape(sandbox), ...configFormViolations(sandbox, resolved?.spec)];
  const known = new Set(own.map(fault));
  const merged = resolved
    ? [...validateResolved(resolved), ...textSizeViolations(sandbox.spec, resolved.spec ?? {})]
    : [];
  return [...own, ...merged.filter((violation) => !known.has(fault(violation)))];
}

function resolvedOf(resolution: Resolution | undefined): Resolved {
  return resolution?.ok ? resolution.resolved : undefined;
}

/** A chain link as people name it. */
function linkName(link: { readonly kind: string; readonly name: string }): string {
  return `${link.kind} ${link.name}`;
}

/**
 * Says which template moved when the sandbox was merged by one replica before, and is validated by another after, that
 * template changed: an honest race that trying again cures.
 */
function forgeryMessage(sandbox: SpecifiedSandbox, expected: Extract<Resolution, { ok: true }>): string {
  const { resolved } = sandbox.spec;
  if (!resolved) {
    return 'is missing although AgentTier writes it on admission; check the MutatingWebhookConfiguration agenttier';
  }
  const now = expected.resolved.chain ?? [];
  const moved = resolved.chain?.find((link, i) => {
    const other = now[i];
    return other?.uid !== link.uid || other?.generation !== link.generation;
  });
  if (moved !== undefined) return `${linkName(moved)} changed while this was admitted; try again`;
  // Right in itself but not what we get: from a replica of another version, during an upgrade, or from another sandbox.
  return isSealed(resolved)
    ? 'differs from what templates, policy and spec give; take it out of the manifest if it is there, and try again'
    : 'is written by AgentTier; remove it from the manifest';
}

/** The whole content is compared, so that a right hash over wrong content does not pass. */
function forgeryViolations(sandbox: SpecifiedSandbox, resolution: Resolution): Violation[] {
  if (!resolution.ok || sameJson(sandbox.spec.resolved, resolution.resolved)) {
    return [];
  }
  return [{ code: 'resolved_forged', field: 'spec.resolved', message: forgeryMessage(sandbox, resolution) }];
}

/** True when a second look with live reads is worthwhile before calling `spec.resolved` forged. */
export function resolvedDiffers(sandbox: SpecifiedSandbox, resolution: Resolution | undefined): boolean {
  return resolution?.ok === true && !sameJson(sandbox.spec.resolved, resolution.resolved);
}

function governance(
  sandbox: SpecifiedSandbox,
  resolved: Resolved,
  namespace: string,
  policy: EffectivePolicy,
): Judgement {
  if (!resolved) {
    return { violations: [], warnings: [] };
  }
  return evaluate({ namespace, spec: sandbox.spec, resolved, policy });
}

function ownerViolations(sandbox: SpecifiedSandbox, principal: Principal): Violation[] {
  if (sandbox.spec.createdBy?.sub === principal.sub) {
    return [];
  }
  const message =
    'is written by AgentTier and must name who creates the sandbox; remove it from the manifest';
  return [{ code: 'owner_forged', field: 'spec.createdBy', message }];
}

/** Everything that speaks against a new sandbox, all at once. */
export function validateCreate(input: CreateInput): Judgement {
  const { sandbox, resolution, namespace, principal } = input;
  const judged = resolution.ok
    ? governance(sandbox, resolution.resolved, namespace, resolution.policy)
    : { violations: resolution.violations, warnings: [] };
  return {
    violations: [
      ...formViolations(sandbox, resolvedOf(resolution)),
      ...judged.violations,
      ...ownerViolations(sandbox, principal),
      ...configAuthorViolations(sandbox, undefined, principal),
      ...forgeryViolations(sandbox, resolution),
    ],
    warnings: judged.warnings,
  };
}

/** What the stored sandbox comes to. */
function resolvedBefore({ old, resolution }: UpdateInput): Resolved {
  return old.spec.resolved ?? (resolution?.ok ? resolution.before : undefined);
}

/**
 * A limit that was tightened after the sandbox was made does not forbid to edit its other fields; to start it anew,
 * the whole of it must satisfy today's policy.
 */
function governanceOnUpdate(input: UpdateInput): Judgement {
  const { sandbox, old, reason, resolution, namespace } = input;
  if (!resolution) {
    return { violations: [], warnings: [] };
  }
  if (!resolution.ok) {
    return { violations: resolution.violations, warnings: [] };
  }
  const now = governance(sandbox, resolution.resolved, namespace, resolution.policy);
  if (reason === 'resume') {
    return now;
  }
  const before = governance(old, resolvedBefore(input), namespace, resolution.policy);
  const added = newViolations(now.violations, before.violations);
  const again = isConfigured(sandbox, old) ? askedAgain(now.violations) : [];
  return {
    violations: [...again.filter((violation) => !added.includes(violation)), ...added],
    warnings: now.warnings,
  };
}

function forgeryOnUpdate(input: UpdateInput): Violation[] {
  const { sandbox, old, resolution } = input;
  if (resolution) {
    return forgeryViolations(sandbox, resolution);
  }
  if (sameJson(sandbox.spec.resolved, old.spec.resolved)) {
    return [];
  }
  const message = 'is written by AgentTier; remove it from the manifest';
  return [{ code: 'resolved_forged', field: 'spec.resolved', message }];
}

/** Judges what an update changes. What was already there stays editable, even where it would be refused today. */
export function validateUpdate(input: UpdateInput): Judgement {
  const { sandbox, old, principal } = input;
  const access = accessViolations(principal, sandbox, old, input.now);
  const starts = input.reason === 'resume';
  // Finalizers and other metadata, and everything on an object on its way out, must never be held up by rules.
  if (access.length > 0 || sandbox.metadata.deletionTimestamp || !(specChanged(sandbox, old) || starts)) {
    return { violations: access, warnings: [] };
  }
  const judged = governanceOnUpdate(input);
  return {
    violations: [
      ...validateSandboxUpdate(old, sandbox),
      ...newViolations(
        formViolations(sandbox, resolvedOf(input.resolution)),
        formViolations(old, resolvedBefore(input)),
      ),
      ...judged.violations,
      ...forgeryOnUpdate(input),
      ...configAuthorViolations(sandbox, old, principal),
    ],
    warnings: judged.warnings,
  };
}
