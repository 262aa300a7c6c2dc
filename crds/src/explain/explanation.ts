// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, PolicySpec, PolicyStatus, Sandbox } from '../generated/types.ts';
import { effectivePolicy, NO_POLICY } from '../governance/effective.ts';
import { describeTemplate, type TemplateKind, type TemplateObject } from '../template/compose.ts';
import { EMPTY_LAYER, readLayer, render, stack } from '../template/layer.ts';
import { boundFields, type BoundField } from './bounds.ts';
import { explainFields } from './fields.ts';
import { type PolicyUsage, usageOf, type UsersShown } from './usage.ts';

/** A policy object as far as explaining needs it. */
export interface PolicyObject {
  readonly spec?: PolicySpec;
  readonly status?: PolicyStatus;
}

/** The policies that bound a namespace; an absent one does not exist. */
export interface Policies {
  readonly cluster?: PolicyObject | undefined;
  readonly local?: PolicyObject | undefined;
}

/** Where every effective value comes from and what bounds it; the JSON of the plugin and of REST has these names. */
export interface Explanation {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly hash?: string;
  /** The root first. */
  readonly chain: readonly string[];
  readonly fields: readonly BoundField[];
  /** What the policies count, for those that exist. */
  readonly usage: readonly PolicyUsage[];
  /** False when the policies could not be read: then `bounds` and `usage` are empty for that reason alone. */
  readonly policiesKnown: boolean;
}

export interface ExplainContext {
  /** Absent = they could not be read. */
  readonly policies: Policies | undefined;
  readonly users: UsersShown;
}

/** Explains what admission wrote into `spec.resolved`; undefined for a sandbox that admission has not seen. */
export function explainSandbox(sandbox: Sandbox, context: ExplainContext): Explanation | undefined {
  const { resolved, templateRef } = sandbox.spec ?? {};
  if (resolved === undefined) return undefined;
  const { name = '', namespace } = sandbox.metadata;
  const merged = explainFields(resolved.spec ?? {}, resolved.origins ?? {});
  const chosen =
    templateRef === undefined
      ? []
      : [{ field: 'templateRef.name', value: templateRef.name, origin: 'Sandbox' }];
  return {
    kind: 'Sandbox',
    name,
    ...(namespace === undefined ? {} : { namespace }),
    hash: resolved.hash,
    chain: (resolved.chain ?? []).map(({ kind, ...metadata }) => describeTemplate({ kind, metadata })),
    ...limits([...chosen, ...merged], resolved.spec ?? {}, { ...context, namespace }),
  };
}

/** Explains what a chain of templates (root first) says together; a sandbox and policy may change more. */
export function explainTemplate(
  chain: readonly TemplateObject[],
  namespace: string,
  context: ExplainContext,
): Explanation {
  const { spec, origins } = mergeChain(chain);
  const leaf = chain.at(-1);
  const kind: TemplateKind = leaf?.kind ?? 'ClusterSandboxTemplate';
  const own = kind === 'SandboxTemplate' ? leaf?.metadata.namespace : undefined;
  return {
    kind,
    name: leaf?.metadata.name ?? '',
    ...(own === undefined ? {} : { namespace: own }),
    chain: chain.map((template) => describeTemplate(template)),
    ...limits(explainFields(spec, origins), spec, { ...context, namespace }),
  };
}

/** What the templates of a chain say together, and which of them says it: as admission words it. */
export function mergeChain(chain: readonly TemplateObject[]): {
  spec: Record<string, unknown>;
  origins: Record<string, string>;
} {
  return render(
    chain.reduce(
      (below, template) => stack(below, readLayer(template.spec, describeTemplate(template))),
      EMPTY_LAYER,
    ),
  );
}

function limits(
  fields: Parameters<typeof boundFields>[0],
  spec: EffectiveSpec,
  { policies, users, namespace }: ExplainContext & { readonly namespace: string | undefined },
): Pick<Explanation, 'fields' | 'usage' | 'policiesKnown'> {
  const policy = policies ? effectivePolicy(policies.cluster?.spec, policies.local?.spec) : NO_POLICY;
  return {
    fields: boundFields(fields, spec, policy),
    usage: policies === undefined ? [] : usageOfAll(policies, namespace, users),
    policiesKnown: policies !== undefined,
  };
}

/** The usage of each policy that exists, the cluster's first; those that count and limit nothing are left out. */
export function usageOfAll(
  { cluster, local }: Policies,
  namespace: string | undefined,
  users: UsersShown,
): PolicyUsage[] {
  const sources = [
    ...(cluster === undefined ? [] : [{ scope: 'cluster' as const, ...cluster }]),
    ...(local === undefined ? [] : [{ scope: 'namespace' as const, namespace, ...local }]),
  ];
  return sources.map((source) => usageOf(source, users)).filter(({ rows }) => rows.length > 0);
}
