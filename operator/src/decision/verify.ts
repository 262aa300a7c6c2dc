// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, Resolved, Sandbox, SandboxSpec } from '@agenttier/crds/generated/types';
import { isReservedSecretName } from '@agenttier/crds/governance/grants';
import { equalJson } from '@agenttier/crds/meta/canonical';
import { parseDuration } from '@agenttier/crds/meta/duration';
import { secretReferences } from '@agenttier/crds/sandbox/secrets';
import { composeChain, describeTemplate } from '@agenttier/crds/template/compose';
import type { TemplateLookup, TemplateObject } from '@agenttier/crds/template/compose';
import { DEFAULT_SETTINGS, hashResolved, resolve } from '@agenttier/crds/template/merge';
import { ORIGIN_CREATION } from '@agenttier/crds/template/mode';
import { ORIGIN_VOLUME, VOLUME_FIELDS } from '@agenttier/crds/template/volume';
import type { Resolution } from '../sandbox/state.ts';

/**
 * Whether `spec.resolved` may be acted upon. Admission wrote it and refuses forgeries, but admission can be by-passed:
 * its configuration deleted, or its failure policy relaxed. So nothing is created from a merge that does not follow from
 * the templates the operator sees.
 *
 * Policy is not evaluated again: it may have been tightened since, and a running sandbox is not stopped for that.
 */
export function verifyResolved(sandbox: Sandbox, lookup: TemplateLookup): Resolution {
  const { resolved } = sandbox.spec ?? {};
  if (resolved?.spec === undefined) return unresolved(sandbox, lookup);
  if (!isAsHashed(resolved)) return refuse('Forged', 'spec.resolved.hash does not match its content');
  const found = (resolved.chain ?? []).map(({ kind, name, namespace }) =>
    lookup({ kind, name, ...(namespace ? { namespace } : {}) }),
  );
  const before = verdicts.get(sandbox);
  if (before !== undefined && isSame(before.found, found)) return before.resolution;
  const resolution = judge(sandbox, resolved, found);
  verdicts.set(sandbox, { found, resolution });
  return resolution;
}

type Found = ReturnType<TemplateLookup>;

/**
 * What the last look at a Sandbox found. Objects of a cache are never changed in place, so the same Sandbox beside the
 * same templates is the same answer: most looks are at a sandbox that nothing has happened to.
 */
const verdicts = new WeakMap<
  Sandbox,
  { readonly found: readonly Found[]; readonly resolution: Resolution }
>();

const isSame = (a: readonly Found[], b: readonly Found[]): boolean =>
  a.length === b.length && a.every((one, i) => one === b[i]);

/** Whether the hash is that of the content: the hash costs the most of all, and the caches share equal merges. */
const hashes = new WeakMap<Resolved, boolean>();

function isAsHashed(resolved: Resolved): boolean {
  const known = hashes.get(resolved);
  if (known !== undefined) return known;
  const { hash, ...content } = resolved;
  const matches = hashResolved(content) === hash;
  hashes.set(resolved, matches);
  return matches;
}

function judge(sandbox: Sandbox, resolved: Resolved, found: readonly Found[]): Resolution {
  const unusable = unusableField(resolved.spec as EffectiveSpec);
  if (unusable !== undefined) return refuse('InvalidSpec', `spec.resolved.spec.${unusable}`);
  return compareWithTemplates(sandbox, resolved, found);
}

const refuse = (reason: string, message: string): Resolution => ({
  ok: false,
  reason,
  message: `${message}: apply the Sandbox again through admission`,
});

function unresolved(sandbox: Sandbox, lookup: TemplateLookup): Resolution {
  const { templateRef } = sandbox.spec ?? {};
  const chain = templateRef && composeChain(templateRef, sandbox.metadata.namespace ?? '', lookup);
  if (chain && !chain.ok) {
    const { code, field, message } = chain.violation;
    return { ok: false, reason: REASONS[code] ?? 'Unresolved', message: `${field}: ${message}` };
  }
  return refuse('Unresolved', 'spec.resolved is missing, so admission has not seen this Sandbox');
}

const REASONS: Readonly<Record<string, string>> = {
  template_not_found: 'TemplateNotFound',
  template_cycle: 'CycleDetected',
  template_depth_exceeded: 'DepthExceeded',
};

/** What the builders cannot work with; admission refuses it too, with a better message. */
function unusableField(spec: EffectiveSpec): string | undefined {
  if (!spec.image?.repository) return 'image.repository is not set';
  const secret = secretReferences(spec).find(({ name }) => isReservedSecretName(name));
  if (secret !== undefined) return `${secret.field.slice('spec.'.length)} names a Secret of the platform`;
  for (const field of ['timeout', 'idleTimeout'] as const) {
    const text = spec[field];
    if (text !== undefined && text !== '' && parseDuration(text) === undefined) {
      return `${field} is ${JSON.stringify(text)}, which is no duration`;
    }
  }
  return undefined;
}

function compareWithTemplates(sandbox: Sandbox, resolved: Resolved, all: readonly Found[]): Resolution {
  const spec = resolved.spec as EffectiveSpec;
  const chain: TemplateObject[] = [];
  for (const [i, link] of (resolved.chain ?? []).entries()) {
    const found = all[i];
    // A template that is gone proves nothing: the copy on the object is why a resume still works then.
    if (found === undefined) return { ok: true, spec };
    const template: TemplateObject = { ...found, kind: link.kind };
    if (found.metadata.uid !== link.uid || found.metadata.generation !== link.generation) {
      return { ok: true, spec, drift: driftMessage(template, sandbox.spec ?? {}) };
    }
    chain.push(template);
  }
  const difference = forgedField(sandbox, resolved, chain);
  if (difference === undefined) return { ok: true, spec };
  return refuse(
    'Forged',
    `spec.resolved.spec.${difference} does not follow from the Sandbox and its templates`,
  );
}

function driftMessage(template: TemplateObject, spec: SandboxSpec): string {
  const effect =
    spec.templateUpdatePolicy === 'Pinned'
      ? 'the sandbox is pinned to what it was merged from'
      : 'the change takes effect at the next resume';
  return `${describeTemplate(template)} has changed since it was merged; ${effect}`;
}

/** Fields that a policy limits. Only for these is `policy` an origin that nobody else can confirm. */
const CLAMPED: ReadonlySet<string> = new Set([
  'timeout',
  'idleTimeout',
  'harness.agent.maxConcurrentInvokes',
  'harness.agent.defaultInvokeTimeout',
]);

/**
 * Path of the first effective field that a fresh merge does not give. Defaults and policy limits are left out of that
 * merge, since both may have changed since admission; a field may claim them as its origin only where it can be true.
 */
function forgedField(
  { spec, status }: Sandbox,
  resolved: Resolved,
  chain: readonly TemplateObject[],
): string | undefined {
  const fresh = leaves(resolve(spec ?? {}, chain, { defaults: {} }).resolved.spec ?? {});
  const actual = leaves(resolved.spec ?? {});
  const origins = Object.entries(resolved.origins ?? {}).map(([path, origin]) => ({
    path: dotted(path),
    origin,
  }));
  for (const path of new Set([...actual.keys(), ...fresh.keys()])) {
    const claimed = origins.filter((one) => one.path === path || one.path.startsWith(`${path}.`));
    const hasVolume = status?.pvcName !== undefined || startsFromCopy(spec);
    if (!isExplained(path, { actual, fresh, hasVolume, claimed: claimed.map(({ origin }) => origin) }))
      return path;
  }
  return undefined;
}

/** A copy owes its size and class to what it is a copy of, from the start. */
const startsFromCopy = (spec: SandboxSpec | undefined): boolean =>
  spec?.cloneFrom !== undefined || Boolean(spec?.cloneFromSnapshot);

const VOLUME: ReadonlySet<string> = new Set(VOLUME_FIELDS);

/** Fields that installations give a default: another one cannot have come from there. */
const HAS_DEFAULT: ReadonlySet<string> = new Set([...leaves(DEFAULT_SETTINGS.defaults).keys(), ...CLAMPED]);

interface Comparison {
  readonly actual: ReadonlyMap<string, unknown>;
  readonly fresh: ReadonlyMap<string, unknown>;
  readonly claimed: readonly string[];
  /** Only a sandbox that has a volume can owe a field to it. */
  readonly hasVolume: boolean;
}

function isExplained(path: string, { actual, fresh, claimed, hasVolume }: Comparison): boolean {
  const all = (origin: string): boolean => claimed.length > 0 && claimed.every((one) => one === origin);
  if (all(ORIGIN_VOLUME)) return hasVolume && VOLUME.has(path);
  if (all(ORIGIN_CREATION)) return path === 'mode';
  if (all('policy')) return CLAMPED.has(path);
  if (all('default')) return HAS_DEFAULT.has(path) && !fresh.has(path);
  return actual.has(path) && fresh.has(path) && equalJson(actual.get(path), fresh.get(path));
}

/** `env[HOME]` and `resources.limits[nvidia.com/gpu]` as `env.HOME` and `resources.limits.nvidia.com/gpu`. */
const dotted = (path: string): string => path.replace(/\[([^\]]*)\]/g, '.$1');

/** Values by path: objects are descended into, everything else (lists too) is a value. */
function leaves(node: unknown, prefix = ''): Map<string, unknown> {
  const found = new Map<string, unknown>();
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return found.set(prefix, node);
  for (const [key, value] of Object.entries(node)) {
    for (const [path, leaf] of leaves(value, prefix === '' ? key : `${prefix}.${key}`)) found.set(path, leaf);
  }
  return found;
}
