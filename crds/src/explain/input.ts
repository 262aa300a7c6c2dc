// SPDX-License-Identifier: Apache-2.0
import type { ObjectMeta, PolicySpec, Sandbox, TemplateSpec } from '../generated/types.ts';
import type { Violation } from '../meta/violation.ts';
import {
  describeTemplate,
  type TemplateKey,
  type TemplateKind,
  type TemplateRef,
} from '../template/compose.ts';
import type { Policies } from './explanation.ts';
import { type FoundTemplate, judgeSandbox, judgeTemplate, keyText, loadChain, unique } from './judge.ts';

/**
 * Objects that are checked together. A dry run stores nothing, so the cluster judges each as if the others were not
 * there: a sandbox whose template is in the same input would be refused for a template that does not exist.
 */
export interface InputObject {
  readonly kind: string;
  /** With its namespace, for a namespaced kind. */
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
}

/** The templates and policies of an input that the cluster does not have, or has otherwise. */
export interface Input {
  template(key: TemplateKey): FoundTemplate | undefined;
  policies(namespace: string): { readonly cluster?: PolicySpec; readonly local?: PolicySpec };
}

const isTemplateKind = (kind: string): kind is TemplateKind =>
  kind === 'SandboxTemplate' || kind === 'ClusterSandboxTemplate';

/** Whether others of an input can lean on such an object. */
export const isLeanedOn = (kind: string): boolean =>
  isTemplateKind(kind) || kind === 'GovernancePolicy' || kind === 'ClusterGovernancePolicy';

/** `objects` are those that differ from the cluster's: what is stored already is better judged by the cluster. */
export function inputOf(objects: readonly InputObject[]): Input {
  const templates = new Map<string, FoundTemplate>();
  const policies = new Map<string, PolicySpec>();
  for (const { kind, metadata, spec = {} } of objects) {
    const { name = '', namespace } = metadata;
    if (isTemplateKind(kind)) {
      templates.set(keyText(keyOf(kind, name, namespace)), { metadata, spec: spec as TemplateSpec });
    } else if (isLeanedOn(kind))
      policies.set(kind === 'GovernancePolicy' ? `/${namespace}` : '', spec as PolicySpec);
  }
  return {
    template: (key) => templates.get(keyText(key)),
    policies: (namespace) => {
      const cluster = policies.get('');
      const local = policies.get(`/${namespace}`);
      return { ...(cluster && { cluster }), ...(local && { local }) };
    },
  };
}

const keyOf = (kind: TemplateKind, name: string, namespace: string | undefined): TemplateKey =>
  kind === 'SandboxTemplate' && namespace !== undefined ? { kind, name, namespace } : { kind, name };

/** What the cluster has. */
export interface ClusterReader {
  readonly template: (key: TemplateKey) => Promise<FoundTemplate | undefined>;
  /** Undefined when they may not be read. */
  readonly policies: (namespace: string) => Promise<Policies | undefined>;
}

export interface InputVerdict {
  readonly violations: readonly Violation[];
  readonly warnings: readonly string[];
  /** How it was judged, for people. */
  readonly note: string;
}

/**
 * The verdict on an object that leans on others of its input. Undefined for one that does not: then the dry run of the
 * cluster is the better judge. Rejects as the reader does.
 */
export async function judgeWithInput(
  object: InputObject,
  input: Input,
  reader: ClusterReader,
): Promise<InputVerdict | undefined> {
  try {
    if (object.kind === 'Sandbox')
      return await judgeSandboxWith(object as Sandbox & InputObject, input, reader);
    return isTemplateKind(object.kind) ? await judgeTemplateWith(object, input, reader) : undefined;
  } catch (error) {
    // Objects that no schema has seen can trip the merge; that of the cluster says what is wrong with them.
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    const message = `the objects of this input cannot be merged: ${error.message}`;
    return { violations: [{ code: 'invalid_value', field: 'spec', message }], warnings: [], note: '' };
  }
}

async function judgeSandboxWith(
  sandbox: Sandbox & InputObject,
  input: Input,
  reader: ClusterReader,
): Promise<InputVerdict | undefined> {
  const namespace = sandbox.metadata.namespace ?? '';
  const ref = sandbox.spec?.templateRef;
  const loaded = isRef(ref)
    ? await loadChain(ref, namespace, { own: (key) => input.template(key), read: reader.template })
    : undefined;
  const own = input.policies(namespace);
  const leansOn = [...(loaded?.used ?? []).map(nameOf), ...policyNames(own, namespace)];
  if (leansOn.length === 0) return undefined;
  const stored = await reader.policies(namespace);
  const blind =
    stored === undefined ? '; the policies of the cluster may not be read, so they were left out' : '';
  return {
    ...judgeSandbox(sandbox, { namespace, chain: loaded?.composition, ...over(stored, own) }),
    note: `judged with ${names(leansOn)} of this input${blind}`,
  };
}

type PolicySpecs = ReturnType<Input['policies']>;

function policyNames({ cluster, local }: PolicySpecs, namespace: string): string[] {
  return [
    ...(cluster === undefined ? [] : ['ClusterGovernancePolicy/default']),
    ...(local === undefined ? [] : [`GovernancePolicy/${namespace}/default`]),
  ];
}

/** The policies of the input in the place of those that are stored. */
const over = (stored: Policies | undefined, own: PolicySpecs) => ({
  cluster: own.cluster ?? stored?.cluster?.spec,
  local: own.local ?? stored?.local?.spec,
});

async function judgeTemplateWith(
  object: InputObject,
  input: Input,
  reader: ClusterReader,
): Promise<InputVerdict | undefined> {
  const kind = object.kind as TemplateKind;
  const { name = '', namespace } = object.metadata;
  const self = keyOf(kind, name, namespace);
  const spec = (object.spec ?? {}) as TemplateSpec;
  if (!isRef(spec.inheritsFrom)) return undefined;
  const isSelf = (key: TemplateKey): boolean => keyText(key) === keyText(self);
  // A template of the cluster belongs to no namespace: whom its parents are open to is asked of each sandbox.
  const shown = (found: FoundTemplate | undefined): FoundTemplate | undefined =>
    found && kind === 'ClusterSandboxTemplate' ? openToAll(found) : found;
  const { composition, used } = await loadChain(self, namespace ?? '', {
    own: (key) => shown(isSelf(key) ? { metadata: object.metadata, spec } : input.template(key)),
    read: async (key) => shown(await reader.template(key)),
  });
  const parents = used.filter((key) => !isSelf(key));
  if (parents.length === 0) return undefined;
  return {
    ...judgeTemplate({ kind, spec }, composition),
    note: `judged with ${names(parents.map(nameOf))} of this input`,
  };
}

const isRef = (ref: unknown): ref is TemplateRef =>
  typeof (ref as TemplateRef | undefined)?.name === 'string' && (ref as TemplateRef).name !== '';

function openToAll({ metadata, spec }: FoundTemplate): FoundTemplate {
  const { allowedNamespaces: _restriction, ...rest } = spec;
  return { metadata, spec: rest };
}

const nameOf = (key: TemplateKey): string => describeTemplate({ kind: key.kind, metadata: key });

const names = (all: readonly string[]): string => [...new Set(all)].join(', ');

/** What follows from templates and policies, which the cluster did not have: its word on these does not count. */
const BY_INPUT: ReadonlySet<string> = new Set([
  'template_not_found',
  'template_not_allowed',
  'template_required',
  'template_cycle',
  'template_depth_exceeded',
  'image_registry_not_approved',
  'agent_image_not_approved',
  'image_required',
  'image_digest_required',
  'cpu_limit_exceeded',
  'cpu_limit_missing',
  'memory_limit_exceeded',
  'memory_limit_missing',
  'storage_limit_exceeded',
  'storage_class_not_allowed',
  'timeout_exceeded',
  'idle_timeout_exceeded',
  'runtime_class_required',
  'runtime_class_not_found',
  'network_not_allowed',
  'sidecars_exceeded',
  'exposed_ports_exceeded',
  'security_relaxation_not_allowed',
  'identity_not_allowed',
  'resolved_forged',
]);

interface Objection {
  readonly code?: string | undefined;
  readonly field?: string | undefined;
  readonly message: string;
}

/**
 * What the cluster objects to beside templates and policy (the schema, rights, quota, ownership), and what the input
 * gives reason to object to.
 */
export function combineViolations<T extends Objection>(
  ofCluster: readonly T[],
  verdict: InputVerdict,
): (T | Violation)[] {
  const kept = ofCluster.filter(({ code = '' }) => !BY_INPUT.has(code));
  return unique<T | Violation>([...kept, ...verdict.violations]);
}
