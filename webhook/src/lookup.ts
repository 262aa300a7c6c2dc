// SPDX-License-Identifier: Apache-2.0
import type {
  ClusterGovernancePolicy,
  ClusterSandboxTemplate,
  GovernancePolicy,
  PolicySpec,
  SandboxTemplate,
} from '@agenttier/crds/generated/types';
import { effectivePolicy } from '@agenttier/crds/governance/effective';
import type { EffectivePolicy } from '@agenttier/crds/governance/effective';
import {
  CLUSTER_GOVERNANCE_POLICIES,
  CLUSTER_SANDBOX_TEMPLATES,
  GOVERNANCE_POLICIES,
  POLICY_NAME,
  SANDBOX_TEMPLATES,
} from '@agenttier/crds/meta/resources';
import type { Violation } from '@agenttier/crds/meta/violation';
import { composeChain } from '@agenttier/crds/template/compose';
import type {
  Composition,
  TemplateKey,
  TemplateLookup,
  TemplateObject,
  TemplateRef,
} from '@agenttier/crds/template/compose';
import { isKubeError, isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import type { Store } from '@agenttier/machinery/reflector/store';
import { NamespaceLabelCache } from './template/namespaceLabels.ts';
import { nearNames } from './template/nearNames.ts';
import type { TemplateUsers } from './template/remove.ts';
import type { TemplateUses } from './template/uses.ts';

/** What a sandbox of a namespace is bound by, or the reason why nobody can tell. */
export type PolicyOutcome =
  | {
      readonly ok: true;
      readonly policy: EffectivePolicy;
      /** `ClusterGovernancePolicy/default@<resourceVersion>` and so on, for the audit log. */
      readonly sources: readonly string[];
    }
  | { readonly ok: false; readonly violation: Violation };

/** Absent where there is no policy. */
export interface PolicySpecs {
  readonly cluster: PolicySpec | undefined;
  readonly namespace: PolicySpec | undefined;
}

export interface LookupStores {
  readonly templates: Store<SandboxTemplate>;
  readonly clusterTemplates: Store<ClusterSandboxTemplate>;
  readonly policies: Store<GovernancePolicy>;
  readonly clusterPolicies: Store<ClusterGovernancePolicy>;
  readonly uses: TemplateUses;
}

export interface LookupOptions {
  readonly client: KubeClient;
  readonly stores: LookupStores;
  /** False while the policy stores cannot be trusted: not read yet, or no longer readable. */
  readonly policiesCurrent: () => boolean;
  /** Milliseconds; only differences matter. */
  readonly now?: () => number;
}

export interface ReadOptions {
  readonly signal: AbortSignal;
  /** Ask the API server even for what the stores hold. */
  readonly fresh?: boolean;
}

export interface ChainOptions extends ReadOptions {
  /** Asked before anything else: it knows the template that is just being written. */
  readonly own?: TemplateLookup;
  /** Follow parents whatever their `allowedNamespaces` say, for a template that belongs to no namespace. */
  readonly anyNamespace?: boolean;
}

/**
 * A template of the sandbox's namespace is preferred to a cluster template of that name. That the former does not exist
 * is asked of the API server, not only of the store, since both may come in one `kubectl apply`; the answer is good for
 * this long, by when the watch has told.
 */
const ABSENCE_MS = 2_000;
const ABSENCE_ENTRIES = 1_000;

type Template = Pick<TemplateObject, 'metadata' | 'spec'>;
type Policy = KubeObject & { readonly spec?: PolicySpec };

function shown(template: Template | undefined, options: ChainOptions): Template | undefined {
  if (!template || !options.anyNamespace) return template;
  const { allowedNamespaces: _restriction, ...spec } = template.spec;
  return { metadata: template.metadata, spec };
}

function keyText(key: TemplateKey): string {
  return `${key.kind}/${key.namespace ?? ''}/${key.name}`;
}

function describe(error: unknown): string {
  if (isKubeError(error)) return `${error.reason} (${error.status})`;
  return error instanceof RangeError ? error.message : 'unexpected error';
}

function unavailable(namespace: string | undefined, error: unknown): Violation {
  const where = namespace === undefined ? 'the cluster' : `namespace ${namespace}`;
  const message = `the policies of ${where} cannot be read, so nothing can be admitted: ${describe(error)}`;
  return { code: 'policy_unavailable', field: 'metadata.namespace', message };
}

function combine(cluster: Policy | undefined, local: Policy | undefined): PolicyOutcome {
  const sources = [
    cluster && `${CLUSTER_GOVERNANCE_POLICIES.kind}/${POLICY_NAME}@${cluster.metadata.resourceVersion ?? ''}`,
    local && `${GOVERNANCE_POLICIES.kind}/${POLICY_NAME}@${local.metadata.resourceVersion ?? ''}`,
  ].filter((source) => source !== undefined);
  return { ok: true, policy: effectivePolicy(cluster?.spec, local?.spec), sources };
}

/**
 * Reads templates and policies: from the reflectors' stores, which cost nothing, and from the API server where the
 * stores do not know an object yet (template and sandbox arrive in one apply) or may be behind.
 */
export class Lookup {
  readonly #options: LookupOptions;
  readonly #now: () => number;
  readonly #absent = new Map<string, number>();
  readonly #labels: NamespaceLabelCache;

  constructor(options: LookupOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#labels = new NamespaceLabelCache(options.client, this.#now);
  }

  /**
   * The templates that `ref` leads to, root first, or why there are none. Rejects with KubeError when the API server
   * cannot be asked.
   */
  async chain(ref: TemplateRef, namespace: string, options: ChainOptions): Promise<Composition> {
    const known = new Map<string, Template | undefined>();
    const labels = this.#labels.reader(namespace, options);
    for (;;) {
      const missed: TemplateKey[] = [];
      const lookup: TemplateLookup = (key) => {
        if (known.has(keyText(key))) return shown(known.get(keyText(key)), options);
        const object = options.own?.(key) ?? (options.fresh ? undefined : this.#stored(key));
        if (!object) missed.push(key);
        return shown(object, options);
      };
      const result = composeChain(ref, namespace, lookup, labels.current);
      if (await labels.readIfAsked()) continue;
      const ask = missed.filter((key) => !result.ok || options.fresh === true || !this.#recentlyAbsent(key));
      if (ask.length === 0) {
        return result.ok ? result : { ...result, violation: this.#suggest(result.violation, ref, namespace) };
      }
      for (const key of ask) {
        known.set(keyText(key), await this.#readTemplate(key, options.signal));
      }
    }
  }

  /** The policy in force in a namespace (or, without one, of the cluster). Never rejects: no answer is a violation. */
  async policy(namespace: string | undefined, options: ReadOptions): Promise<PolicyOutcome> {
    try {
      const stored = !options.fresh && this.#options.policiesCurrent();
      const [cluster, local] = stored
        ? this.#storedPolicies(namespace)
        : await this.#livePolicies(namespace, options.signal);
      return combine(cluster, local);
    } catch (error) {
      // Also a stored limit that is no quantity: what cannot be understood cannot be enforced.
      return { ok: false, violation: unavailable(namespace, error) };
    }
  }

  /** What the policies of cluster and namespace say, each by itself. Rejects with KubeError. */
  async policySpecs(namespace: string, options: ReadOptions): Promise<PolicySpecs> {
    const stored = !options.fresh && this.#options.policiesCurrent();
    const [cluster, local] = stored
      ? this.#storedPolicies(namespace)
      : await this.#livePolicies(namespace, options.signal);
    return { cluster: cluster?.spec, namespace: local?.spec };
  }

  /** Who uses which template, out of the stores alone: deleting a template is no reason to read every sandbox. */
  users(): TemplateUsers {
    const { templates, clusterTemplates, uses } = this.#options.stores;
    return {
      synced: () => uses.synced(),
      sandboxes: (template) => uses.of(template),
      templates: () => [
        ...templates.list().map((one) => ({ ...one, kind: 'SandboxTemplate' as const })),
        ...clusterTemplates.list().map((one) => ({ ...one, kind: 'ClusterSandboxTemplate' as const })),
      ],
    };
  }

  #storedPolicies(namespace: string | undefined): [Policy | undefined, Policy | undefined] {
    const { clusterPolicies, policies } = this.#options.stores;
    const local = namespace === undefined ? undefined : policies.get(namespace, POLICY_NAME);
    return [clusterPolicies.get(undefined, POLICY_NAME), local];
  }

  #livePolicies(
    namespace: string | undefined,
    signal: AbortSignal,
  ): Promise<[Policy | undefined, Policy | undefined]> {
    return Promise.all([
      this.#read<Policy>(CLUSTER_GOVERNANCE_POLICIES, { name: POLICY_NAME }, signal),
      namespace === undefined
        ? undefined
        : this.#read<Policy>(GOVERNANCE_POLICIES, { namespace, name: POLICY_NAME }, signal),
    ]);
  }

  #stored(key: TemplateKey): Template | undefined {
    const { templates, clusterTemplates } = this.#options.stores;
    return key.kind === 'SandboxTemplate'
      ? templates.get(key.namespace, key.name)
      : clusterTemplates.get(undefined, key.name);
  }

  /** Adds the names that may have been meant; only for the reference itself, not for a parent further up. */
  #suggest(violation: Violation, ref: TemplateRef, namespace: string): Violation {
    if (violation.code !== 'template_not_found' || violation.actual !== ref.name) return violation;
    const near = nearNames(ref.name, this.#names(ref, namespace));
    if (near.length === 0) return violation;
    return { ...violation, message: `${violation.message}; names near it: ${near.join(', ')}` };
  }

  #names(ref: TemplateRef, namespace: string): string[] {
    const { templates, clusterTemplates } = this.#options.stores;
    const home = ref.namespace || namespace;
    const local = templates.list().filter((template) => template.metadata.namespace === home);
    const all = [
      ...(ref.kind === 'ClusterSandboxTemplate' ? [] : local),
      ...(ref.kind === 'SandboxTemplate' ? [] : clusterTemplates.list()),
    ];
    return all.map((template) => template.metadata.name ?? '');
  }

  async #readTemplate(key: TemplateKey, signal: AbortSignal): Promise<Template | undefined> {
    const resource = key.kind === 'SandboxTemplate' ? SANDBOX_TEMPLATES : CLUSTER_SANDBOX_TEMPLATES;
    const template = await this.#read<SandboxTemplate>(resource, key, signal);
    if (!template) this.#rememberAbsence(key);
    return template;
  }

  async #read<T extends KubeObject>(
    resource: Resource,
    key: { readonly namespace?: string | undefined; readonly name: string },
    signal: AbortSignal,
  ): Promise<T | undefined> {
    try {
      return await this.#options.client.get<T>(resource, key, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #rememberAbsence(key: TemplateKey): void {
    if (this.#absent.size >= ABSENCE_ENTRIES) this.#absent.clear();
    this.#absent.set(keyText(key), this.#now());
  }

  #recentlyAbsent(key: TemplateKey): boolean {
    const at = this.#absent.get(keyText(key));
    return at !== undefined && this.#now() - at < ABSENCE_MS;
  }
}
