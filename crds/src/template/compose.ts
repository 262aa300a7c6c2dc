// SPDX-License-Identifier: Apache-2.0
import type { ObjectMeta, TemplateSpec } from '../generated/types.ts';
import { selects } from '../meta/selector.ts';
import type { Violation, ViolationCode } from '../meta/violation.ts';

export type TemplateKind = 'SandboxTemplate' | 'ClusterSandboxTemplate';

/** A reference as users write it: without a kind, the namespaced template comes before the cluster's. */
export interface TemplateRef {
  readonly kind?: TemplateKind;
  readonly namespace?: string;
  readonly name: string;
}

/** A reference that names exactly one object. */
export interface TemplateKey {
  readonly kind: TemplateKind;
  readonly namespace?: string;
  readonly name: string;
}

/** A template of either kind. `kind` is that of the key it was found under: items of lists come without one. */
export interface TemplateObject {
  readonly kind: TemplateKind;
  readonly metadata: ObjectMeta;
  readonly spec: TemplateSpec;
}

/** Finds a template; what it returns needs no kind of its own. */
export type TemplateLookup = (
  key: TemplateKey,
) => { readonly metadata: ObjectMeta; readonly spec: TemplateSpec } | undefined;

/**
 * Labels of the sandbox's namespace; undefined when they are not known, which opens nothing. Asked only where a template
 * selects namespaces by label.
 */
export type NamespaceLabels = () => Readonly<Record<string, string>> | undefined;

export type Composition =
  | { readonly ok: true; readonly chain: readonly TemplateObject[] }
  | {
      readonly ok: false;
      readonly violation: Violation;
      readonly missing?: TemplateKey;
      /** All that would have answered the reference, in the order in which they were looked for. */
      readonly tried?: readonly TemplateKey[];
    };

/** Longest chain, the leaf included. */
export const MAX_CHAIN = 10;

/**
 * Follows `ref` and its parents. The chain has the root first; its last element is the template that the sandbox
 * names, with the kind that was found for it. `missing` is the object that a fresh read could still turn up.
 */
export function composeChain(
  ref: TemplateRef,
  sandboxNamespace: string,
  lookup: TemplateLookup,
  labels: NamespaceLabels = () => undefined,
): Composition {
  const home: Home = { namespace: sandboxNamespace, labels };
  const chain: TemplateObject[] = [];
  const seen = new Set<string>();
  let next: TemplateRef | undefined = ref;
  let holder: TemplateObject | undefined;
  while (next !== undefined) {
    const link = follow(next, holder, home, lookup);
    if (!link.ok) return link;
    const key = describeTemplate(link.template);
    if (seen.has(key)) return cycle(chain, link.template, ref);
    if (chain.length >= MAX_CHAIN) return tooDeep(ref);
    seen.add(key);
    chain.unshift(link.template);
    holder = link.template;
    next = link.template.spec.inheritsFrom;
  }
  return { ok: true, chain };
}

/** `ClusterSandboxTemplate/name` or `SandboxTemplate/namespace/name`: how origins and messages name a template. */
export function describeTemplate(template: {
  readonly kind: TemplateKind;
  readonly metadata: Pick<ObjectMeta, 'name' | 'namespace'>;
}): string {
  const { name = '', namespace = '' } = template.metadata;
  return template.kind === 'ClusterSandboxTemplate'
    ? `${template.kind}/${name}`
    : `${template.kind}/${namespace}/${name}`;
}

/** Where the sandbox is. */
interface Home {
  readonly namespace: string;
  readonly labels: NamespaceLabels;
}

type Link = { readonly ok: true; readonly template: TemplateObject } | Exclude<Composition, { ok: true }>;

/** One step: from the sandbox (no holder) or from a template to the template that it names. */
function follow(
  ref: TemplateRef,
  holder: TemplateObject | undefined,
  home: Home,
  lookup: TemplateLookup,
): Link {
  if (
    holder?.kind === 'ClusterSandboxTemplate' &&
    (ref.kind ?? 'ClusterSandboxTemplate') !== 'ClusterSandboxTemplate'
  ) {
    return refuse(
      'invalid_value',
      holder,
      `${describeTemplate(holder)} inherits from a SandboxTemplate: a template of the cluster can only inherit from another ClusterSandboxTemplate`,
    );
  }
  const keys = candidates(ref, holder, home.namespace);
  for (const key of keys) {
    const found = lookup(key);
    if (found === undefined) continue;
    const { kind, ...place } = key;
    const template: TemplateObject = { kind, metadata: { ...found.metadata, ...place }, spec: found.spec };
    return admits(template, home) ? { ok: true, template } : closed(template, holder, home.namespace);
  }
  return notFound(ref, keys, holder);
}

function candidates(
  ref: TemplateRef,
  holder: TemplateObject | undefined,
  sandboxNamespace: string,
): TemplateKey[] {
  const written = ref.namespace === '' ? undefined : ref.namespace;
  const namespace = written ?? holder?.metadata.namespace ?? sandboxNamespace;
  const namespaced: TemplateKey = { kind: 'SandboxTemplate', namespace, name: ref.name };
  const cluster: TemplateKey = { kind: 'ClusterSandboxTemplate', name: ref.name };
  if (ref.kind === 'SandboxTemplate') return [namespaced];
  if (ref.kind === 'ClusterSandboxTemplate' || holder?.kind === 'ClusterSandboxTemplate') return [cluster];
  // A namespace in the reference can only mean a namespaced template.
  return written !== undefined ? [namespaced] : [namespaced, cluster];
}

/** Own namespace, or what the template opens; a template of the cluster that says nothing is open to all. */
function admits({ kind, metadata, spec }: TemplateObject, { namespace, labels }: Home): boolean {
  if (kind === 'SandboxTemplate' && metadata.namespace === namespace) return true;
  if (spec.allowedNamespaces === undefined) return kind === 'ClusterSandboxTemplate';
  const { names = [], selector } = spec.allowedNamespaces;
  if (names.includes('*') || names.includes(namespace)) return true;
  const known = selector && labels();
  return known !== undefined && selects(selector ?? {}, known);
}

function closed(template: TemplateObject, holder: TemplateObject | undefined, namespace: string): Link {
  const message = `${describeTemplate(template)} may not be used in namespace ${namespace}: its spec.allowedNamespaces neither lists it nor selects its labels`;
  return refuse('template_not_allowed', holder, message);
}

function notFound(ref: TemplateRef, keys: readonly TemplateKey[], holder: TemplateObject | undefined): Link {
  const names = keys.map((key) => describeTemplate({ kind: key.kind, metadata: key })).join(' or ');
  const by = holder === undefined ? '' : `, which ${describeTemplate(holder)} inherits from,`;
  const failure = refuse('template_not_found', holder, `template ${names}${by} does not exist`, ref.name);
  const missing = keys.at(-1);
  return missing === undefined ? failure : { ...failure, missing, tried: keys };
}

function cycle(chain: readonly TemplateObject[], again: TemplateObject, ref: TemplateRef): Composition {
  const names = [...chain].toReversed().map((template) => describeTemplate(template));
  const loop = [...names.slice(names.indexOf(describeTemplate(again))), describeTemplate(again)].join(' -> ');
  return refuse(
    'template_cycle',
    undefined,
    `templates inherit from each other in a circle: ${loop}`,
    ref.name,
  );
}

function tooDeep(ref: TemplateRef): Composition {
  const message = `the chain of parents of template ${ref.name} has more than ${MAX_CHAIN} templates`;
  return refuse('template_depth_exceeded', undefined, message, ref.name);
}

function refuse(
  code: ViolationCode,
  holder: TemplateObject | undefined,
  message: string,
  actual?: string,
): { ok: false; violation: Violation } {
  const field =
    code === 'template_not_allowed' && holder === undefined ? 'spec.templateRef' : 'spec.templateRef.name';
  return { ok: false, violation: { code, field, message, ...(actual === undefined ? {} : { actual }) } };
}
