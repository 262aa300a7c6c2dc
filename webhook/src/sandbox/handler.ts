// SPDX-License-Identifier: Apache-2.0
import { jsonPatch } from '@agenttier/crds/meta/jsonPatch';
import type { TemplateRef } from '@agenttier/crds/template/compose';
import type { ResolveSettings } from '@agenttier/crds/template/merge';
import { VOLUME_SNAPSHOTS } from '@agenttier/machinery/kube/resource';
import { actorOf, principalOf } from '../identity.ts';
import type { Principal } from '../identity.ts';
import type { Lookup, ReadOptions } from '../lookup.ts';
import type { QuotaAdmission } from '../quota/admission.ts';
import { ALLOW } from '../review.ts';
import type { AdmissionRequest, Handler, Verdict } from '../review.ts';
import { deleteViolations } from './access.ts';
import { copyViolations } from './copy.ts';
import { boundBy } from './origins.ts';
import type { Origin, Origins } from './origins.ts';
import { resolveReason } from './change.ts';
import type { ResolveReason } from './change.ts';
import type { Enforcers } from './enforcement.ts';
import type { Grants } from './grants.ts';
import { prepareSandbox, stampSandbox } from './mutate.ts';
import type { RuntimeClasses } from './runtimeClasses.ts';
import { resolveAgain, resolveSandbox } from './resolution.ts';
import type { Gathered, Resolution } from './resolution.ts';
import { specified } from './specified.ts';
import type { SpecifiedSandbox } from './specified.ts';
import { resolvedDiffers, validateCreate, validateUpdate } from './validate.ts';
import type { Judgement } from './validate.ts';

export interface SandboxHandlerOptions {
  readonly lookup: Pick<Lookup, 'chain' | 'policy'>;
  readonly settings: ResolveSettings;
  readonly defaultTemplate?: TemplateRef | undefined;
  readonly operatorUsername: string;
  /** Without it no Secret or ServiceAccount is looked at. */
  readonly grants?: Grants | undefined;
  /** Without it nothing is found that a sandbox could start from. */
  readonly origins?: Origins | undefined;
  /** Without it any runtime class counts as there. */
  readonly runtimeClasses?: RuntimeClasses | undefined;
  /** Without it nobody warns that names are enforced by nothing. */
  readonly enforcers?: Enforcers | undefined;
  /** Without it nothing is counted. */
  readonly quota?: Pick<QuotaAdmission, 'admit'> | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Where the running admission stands in a trace; undefined where nobody keeps traces. */
  readonly traceparent?: (() => string | undefined) | undefined;
}

/** One sandbox with what came before it. */
interface Subject {
  readonly sandbox: SpecifiedSandbox;
  readonly old: SpecifiedSandbox | undefined;
  readonly namespace: string;
}

function subjectOf(request: AdmissionRequest): Subject | undefined {
  const sandbox = specified(request.object);
  const old = request.operation === 'UPDATE' ? specified(request.oldObject) : undefined;
  if (!sandbox || (request.operation === 'UPDATE' && !old)) return undefined;
  return { sandbox, old, namespace: request.namespace ?? sandbox.metadata.namespace ?? '' };
}

async function gather(
  subject: Subject,
  options: SandboxHandlerOptions,
  read: ReadOptions,
): Promise<Gathered & { readonly sources: string }> {
  const { sandbox, namespace } = subject;
  const { lookup } = options;
  const ref = sandbox.spec.templateRef;
  // Before the schema is checked a reference may be anything; without a name there is nothing to look for.
  const named = typeof ref?.name === 'string' && ref.name !== '';
  const [chain, policy] = await Promise.all([
    named ? lookup.chain(ref, namespace, read) : undefined,
    lookup.policy(namespace, read),
  ]);
  return { policy, sources: policy.ok ? policy.sources.join(' ') : '', ...(chain ? { chain } : {}) };
}

async function settle(
  subject: Subject,
  reason: ResolveReason,
  options: SandboxHandlerOptions,
  read: ReadOptions,
): Promise<Settled> {
  const { sandbox, old, namespace } = subject;
  const [gathered, origin] = await Promise.all([
    gather(subject, options, read),
    reason === 'create' ? options.origins?.find(sandbox.spec, namespace, read.signal) : undefined,
  ]);
  if (reason !== 'create' && old) {
    const resolution = resolveAgain({ sandbox, old, reason }, gathered, options.settings);
    return { resolution, sources: gathered.sources };
  }
  const volume = { volume: boundBy(origin), volumeWins: Boolean(sandbox.spec.cloneFromSnapshot) };
  const resolution = resolveSandbox(sandbox.spec, gathered, { ...options.settings, ...volume });
  return { resolution, sources: gathered.sources, origin };
}

interface Settled {
  readonly resolution: Resolution;
  readonly sources: string;
  /** What a new sandbox is to start from. */
  readonly origin?: Origin | undefined;
}

const warningsOf = (settled: Settled | undefined): readonly string[] =>
  settled?.resolution.ok ? settled.resolution.warnings : [];

const sourceUid = ({ origin }: Settled): string | undefined => origin?.sandbox?.metadata.uid;

/** A spec of a wrong shape can trip the merge; the schema, which is checked next, has the better words for it. */
async function trySettle(
  subject: Subject,
  reason: ResolveReason,
  options: SandboxHandlerOptions,
  read: ReadOptions,
): Promise<Settled> {
  try {
    return await settle(subject, reason, options, read);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    return { resolution: { ok: false, violations: [] }, sources: '' };
  }
}

/**
 * `/mutate/sandboxes`: never refuses. It runs before the schema is checked, and what stays unresolved is refused by
 * validation, which sees all that is wrong at once.
 */
export function mutateSandboxes(options: SandboxHandlerOptions): Handler {
  return async (request, signal): Promise<Verdict> => {
    const subject = subjectOf(request);
    const principal = principalOf(request.userInfo, options.operatorUsername);
    // The operator touches finalizers and annotations of objects whose rest is none of its business.
    const exempt = principal.role === 'operator' && request.operation === 'UPDATE';
    if (!subject || exempt || subject.sandbox.metadata.deletionTimestamp) return ALLOW;
    const prepared = prepareSandbox(subject.sandbox, subject.old, options.defaultTemplate);
    const reason = resolveReason(prepared, subject.old);
    const settled =
      reason && (await trySettle({ ...subject, sandbox: prepared }, reason, options, { signal }));
    const stamped = stampSandbox(prepared, {
      old: subject.old,
      principal,
      now: options.now(),
      current: options.traceparent?.(),
      resolution: settled?.resolution,
      sourceUid: settled && sourceUid(settled),
    });
    return {
      violations: [],
      patch: jsonPatch(request.object, stamped),
      warnings: warningsOf(settled),
    };
  };
}

function audit(judgement: Judgement, sources: string): Record<string, string> {
  const codes = judgement.violations.map((v) => v.code).join(' ');
  return { ...(sources === '' ? {} : { policy: sources }), ...(codes === '' ? {} : { codes }) };
}

/** Works out again what mutation must have written. Where it differs, stores may be behind: one look with live reads. */
async function recheck(
  subject: Subject,
  reason: ResolveReason,
  options: SandboxHandlerOptions,
  signal: AbortSignal,
): Promise<Settled> {
  const settled = await settle(subject, reason, options, { signal });
  return resolvedDiffers(subject.sandbox, settled.resolution)
    ? settle(subject, reason, options, { signal, fresh: true })
    : settled;
}

/** `/validate/sandboxes`. */
export function validateSandboxes(options: SandboxHandlerOptions): Handler {
  return async (request, signal): Promise<Verdict> => {
    const principal = principalOf(request.userInfo, options.operatorUsername);
    if (request.operation === 'DELETE') {
      const old = specified(request.oldObject);
      return old ? { violations: deleteViolations(principal, old) } : ALLOW;
    }
    const subject = subjectOf(request);
    if (!subject) return { violations: [MALFORMED] };
    const { sandbox, old, namespace } = subject;
    const reason = resolveReason(sandbox, old);
    const settled = reason && (await recheck(subject, reason, options, signal));
    const judgement =
      old === undefined
        ? validateCreate({
            namespace,
            sandbox,
            principal,
            resolution: (settled as NonNullable<typeof settled>).resolution,
          })
        : validateUpdate({
            namespace,
            sandbox,
            old,
            principal,
            reason,
            resolution: settled?.resolution,
            now: options.now(),
          });
    const sandboxCase = { request, subject, principal, settled, options, signal };
    const granted = await withGrants(judgement, sandboxCase);
    const warned = await withWarnings(granted, sandboxCase);
    const copied = await withOrigin(warned, sandboxCase);
    const counted = await withQuota(copied, sandboxCase);
    return { ...counted, audit: audit(counted, settled?.sources ?? '') };
  };
}

interface QuotaCase {
  readonly request: AdmissionRequest;
  readonly subject: Subject;
  readonly settled: Settled | undefined;
  readonly options: SandboxHandlerOptions;
  readonly signal: AbortSignal;
}

/**
 * Quotas come last: room is taken only for what nothing else speaks against, and for a refused request or a dry run it
 * is said whether there would have been.
 */
async function withQuota(
  judgement: Judgement,
  quotaCase: QuotaCase,
): Promise<Judgement & Pick<Verdict, 'exists'>> {
  const { request, subject, settled, options, signal } = quotaCase;
  const { sandbox, old } = subject;
  // Without a merge nobody knows how much it is; then there is a violation that says why.
  const unknown = settled?.resolution.ok === false || sandbox.metadata.deletionTimestamp !== undefined;
  if (!options.quota || unknown) return judgement;
  const commit = request.dryRun !== true && judgement.violations.length === 0;
  const { violations, exists } = await options.quota.admit(
    { sandbox, old, namespace: subject.namespace, commit },
    signal,
  );
  return {
    violations: [...judgement.violations, ...violations],
    warnings: judgement.warnings,
    ...(exists ? { exists } : {}),
  };
}

interface GrantCase {
  readonly request: AdmissionRequest;
  readonly subject: Subject;
  readonly principal: Principal;
  readonly settled: Settled | undefined;
  readonly options: SandboxHandlerOptions;
  readonly signal: AbortSignal;
}

/** What the cluster has to say: whether the person may hand over Secrets and ServiceAccount, whether the runtime class exists. */
async function withGrants(judgement: Judgement, grantCase: GrantCase): Promise<Judgement> {
  const { request, subject, principal, settled, options, signal } = grantCase;
  if (!settled?.resolution.ok) return judgement;
  const { resolved, policy } = settled.resolution;
  const { userInfo } = request;
  const spec = resolved.spec ?? {};
  const before = subject.old?.spec.resolved?.spec;
  const found = await Promise.all([
    options.grants?.judge({ ...subject, spec, policy, principal, userInfo }, signal) ?? [],
    options.runtimeClasses?.judge(spec, before, signal) ?? [],
  ]);
  return { ...judgement, violations: [...judgement.violations, ...found.flat()] };
}

/** That names will not be reached is no reason to refuse the sandbox: what is missing may be just coming. */
async function withWarnings(
  judgement: Judgement,
  { settled, options, signal }: GrantCase,
): Promise<Judgement> {
  if (!settled?.resolution.ok || options.enforcers === undefined) return judgement;
  const warnings = await options.enforcers.warn(settled.resolution.resolved.spec ?? {}, signal);
  return { ...judgement, warnings: [...judgement.warnings, ...warnings] };
}

/** Whether the person may have what the new sandbox is to start with. */
async function withOrigin(judgement: Judgement, grantCase: GrantCase): Promise<Judgement> {
  const { request, subject, principal, settled, options, signal } = grantCase;
  const { origin } = settled ?? {};
  const { sandbox, namespace } = subject;
  if (origin === undefined) return judgement;
  const { userInfo } = request;
  const mayRead = async (name: string): Promise<boolean> =>
    (await options.grants?.mayRead(VOLUME_SNAPSHOTS, { namespace, name, userInfo }, signal)) === true;
  const found = await copyViolations({ sandbox, origin, actor: actorOf(principal), mayRead });
  return { ...judgement, violations: [...judgement.violations, ...found] };
}

const MALFORMED = {
  code: 'invalid_value',
  field: 'spec',
  message: 'must be an object',
} as const;
