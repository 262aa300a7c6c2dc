// SPDX-License-Identifier: Apache-2.0
import { ApiError } from '@agenttier/client';
import type { Violation } from '@agenttier/client';
import type { EffectiveView } from '@agenttier/crds/explain/effectiveView';
import type { PolicyUsage } from '@agenttier/crds/explain/usage';
import type { Saved, Spec } from './saved.ts';
import type { Server } from './server.ts';

export type { EffectiveLimit, EffectiveView } from '@agenttier/crds/explain/effectiveView';
export type { PolicyUsage, UsageRow } from '@agenttier/crds/explain/usage';

/** A policy as it was read, or that there is none. */
export interface StoredPolicy {
  /** Empty = of the cluster. */
  readonly namespace: string;
  readonly policy: Spec;
  /** Absent = there is none. */
  readonly version?: string | undefined;
  /** Existing sandboxes that it would refuse now; absent until they are counted. */
  readonly wouldViolate?: number | undefined;
}

/** Existing sandboxes that a text would refuse at their next resume. */
export interface Violators {
  readonly count: number;
  /** The first of them. */
  readonly named: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly violations: readonly Violation[];
  }[];
}

export interface PolicyVerdict {
  readonly warnings: readonly string[];
  readonly violators: Violators;
}

/** The policy of the cluster, whether there is one or not, and those of namespaces. */
export async function listPolicies({ api }: Server, signal: AbortSignal): Promise<readonly StoredPolicy[]> {
  const found: StoredPolicy[] = [];
  let next: string | undefined;
  do {
    const page = await api.listPolicies({ query: next ? { continue: next } : {} }, { signal });
    if (next === undefined) found.push(ofCluster(page));
    for (const { namespace, policy, resourceVersion: version, wouldViolate } of page.namespaces) {
      found.push({ namespace, policy, version, wouldViolate });
    }
    next = page.continue;
  } while (next);
  return found;
}

const ofCluster = (page: {
  readonly cluster: Spec | null;
  readonly clusterVersion?: string;
  readonly clusterWouldViolate?: number;
}): StoredPolicy => ({
  namespace: '',
  policy: page.cluster ?? {},
  version: page.clusterVersion,
  wouldViolate: page.clusterWouldViolate,
});

async function readPolicy({ api }: Server, namespace: string): Promise<StoredPolicy> {
  if (namespace === '') return ofCluster(await api.listPolicies({ query: { limit: 1 } }));
  const { policy, resourceVersion: version } = await api.getPolicy({ params: { namespace } });
  return { namespace, policy, version };
}

const TRIES = 5;

/**
 * Replaces a policy, unless it says something else by now than `base`, which the change was made from. Admission counts in
 * the status of a policy, so its version changes all the time: only another spec is a change of somebody else.
 */
export async function savePolicy(
  server: Server,
  base: StoredPolicy,
  policy: Spec,
): Promise<Saved<StoredPolicy>> {
  for (let tries = 1; ; tries++) {
    const current = await readPolicy(server, base.namespace);
    if (!isSame(current, base)) return { outcome: 'changed', current };
    try {
      return await putPolicy(server, current, policy);
    } catch (error) {
      if (!isOutdated(error) || tries >= TRIES) throw error;
    }
  }
}

/** The server keeps the order of fields, so that equal policies are equal texts. */
const isSame = (a: StoredPolicy, b: StoredPolicy): boolean =>
  JSON.stringify(a.policy) === JSON.stringify(b.policy);

const isOutdated = (error: unknown): boolean => error instanceof ApiError && error.status === 412;

const ifMatch = ({ version }: StoredPolicy) =>
  version === undefined ? {} : { headers: { 'If-Match': `"${version}"` } };

async function putPolicy({ api }: Server, current: StoredPolicy, body: Spec): Promise<Saved<StoredPolicy>> {
  const { namespace } = current;
  const answer = await (namespace === ''
    ? api.replaceClusterPolicy({ body }, ifMatch(current))
    : api.replacePolicy({ params: { namespace }, body }, ifMatch(current)));
  const { policy, resourceVersion: version, warnings } = answer;
  return { outcome: 'saved', value: { namespace, policy, version }, warnings };
}

/**
 * What admission would say, with nothing stored: its remarks, or it rejects with its violations; and which sandboxes the
 * text would refuse.
 */
export async function tryPolicy(
  { api }: Server,
  { namespace }: StoredPolicy,
  body: Spec,
  signal: AbortSignal,
): Promise<PolicyVerdict> {
  const query = { dryRun: true };
  const answer = await (namespace === ''
    ? api.replaceClusterPolicy({ query, body }, { signal })
    : api.replacePolicy({ params: { namespace }, query, body }, { signal }));
  const { warnings = [], wouldViolate: count = 0, violators: named = [] } = answer;
  return { warnings, violators: { count, named } };
}

export async function deletePolicy({ api }: Server, { namespace }: StoredPolicy): Promise<void> {
  await (namespace === '' ? api.deleteClusterPolicy() : api.deletePolicy({ params: { namespace } }));
}

export interface Bounds {
  /** Of a namespace; the cluster's own policy needs no view of it. */
  readonly effective: EffectiveView | undefined;
  readonly usage: readonly PolicyUsage[];
}

/** What bounds a namespace and how much of it is used; without a namespace, how much of the cluster's policy. */
export async function getBounds({ api }: Server, namespace: string, signal: AbortSignal): Promise<Bounds> {
  const query = namespace === '' ? {} : { namespace };
  const [effective, usage] = await Promise.all([
    namespace === '' ? undefined : api.effectivePolicy({ query }, { signal }),
    api.policyUsage({ query }, { signal }),
  ]);
  // The document of the API leaves open what is in these two; the types are those of the router that writes them.
  const { scopes } = usage as { readonly scopes: readonly PolicyUsage[] };
  return {
    effective: effective as EffectiveView | undefined,
    usage: namespace === '' ? scopes.filter(({ scope }) => scope === 'cluster') : scopes,
  };
}
