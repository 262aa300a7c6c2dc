// SPDX-License-Identifier: Apache-2.0
import type { PolicySpec, PolicyStatus } from '../generated/types.ts';
import type { PolicyScope } from '../governance/effective.ts';
import { parseQuantity } from '../meta/quantity.ts';
import { quantityLeft } from './amount.ts';

type Amount = string | number;

/** One thing that a policy counts. */
export interface UsageRow {
  /** `sandboxes`, `agentSandboxes`, `cpu`, `memory`, `storage`, or whatever else the status counts. */
  readonly dimension: string;
  /** The person that it is about; absent = everybody together. */
  readonly user?: string;
  readonly used: Amount;
  /** Absent = nothing is set. */
  readonly limit?: Amount;
  /** Limit minus used; present with a limit. */
  readonly left?: Amount;
}

export interface PolicyUsage {
  readonly scope: PolicyScope;
  /** Of a policy of a namespace. */
  readonly namespace?: string;
  /** False while nobody has counted yet: then there are no rows but those that have a limit. */
  readonly counted: boolean;
  readonly rows: readonly UsageRow[];
}

export interface UsageSource {
  readonly scope: PolicyScope;
  readonly namespace?: string | undefined;
  readonly spec?: PolicySpec | undefined;
  readonly status?: PolicyStatus | undefined;
}

/** Whose own count is shown: everybody's, or that of one person (by subject). */
export type UsersShown = 'all' | { readonly sub: string };

/** Used, limit and what is left for everything that the policy bounds or its status counts. */
export function usageOf(source: UsageSource, users: UsersShown): PolicyUsage {
  const { scope, namespace, spec, status } = source;
  return {
    scope,
    ...(namespace === undefined ? {} : { namespace }),
    counted: status?.used !== undefined,
    rows: [...totalRows(spec, status), ...userRows(spec, status, users)],
  };
}

const LIMITS: Readonly<Record<string, (spec: PolicySpec) => Amount | undefined>> = {
  sandboxes: (spec) => spec.maxSandboxesTotal,
  agentSandboxes: (spec) => spec.maxAgentSandboxes,
  cpu: (spec) => spec.total?.cpu,
  memory: (spec) => spec.total?.memory,
  storage: (spec) => spec.total?.storage,
};

function totalRows(spec: PolicySpec | undefined, status: PolicyStatus | undefined): UsageRow[] {
  const used = (status?.used ?? {}) as Readonly<Record<string, unknown>>;
  const names = new Set([...Object.keys(LIMITS), ...Object.keys(used)]);
  return [...names].flatMap((dimension) => {
    const amount = used[dimension];
    if (amount !== undefined && !isAmount(amount)) return [];
    const limit = limitOf(spec && LIMITS[dimension]?.(spec));
    return amount === undefined && limit === undefined ? [] : [row(dimension, amount ?? 0, limit)];
  });
}

function userRows(
  spec: PolicySpec | undefined,
  status: PolicyStatus | undefined,
  shown: UsersShown,
): UsageRow[] {
  const perUser = status?.used?.perUser ?? {};
  const limit = limitOf(spec?.maxSandboxesPerUser);
  const mine = shown === 'all' ? undefined : shown.sub;
  const names = mine === undefined ? Object.keys(perUser).toSorted() : [mine];
  return names.flatMap((user) => {
    const used = Object.hasOwn(perUser, user) ? perUser[user] : undefined;
    if (used === undefined && limit === undefined) return [];
    return [{ ...row('sandboxes', used ?? 0, limit), user }];
  });
}

function row(dimension: string, used: Amount, limit: Amount | undefined): UsageRow {
  if (limit === undefined) return { dimension, used };
  const left = quantityLeft(limit, used);
  const plain = typeof limit === 'number' && left !== undefined ? Number(left) : left;
  return { dimension, used, limit, ...(plain === undefined ? {} : { left: plain }) };
}

/** Zero and empty set no limit, as everywhere in a policy. */
function limitOf(value: Amount | undefined): Amount | undefined {
  return value === undefined || value === '' || parseQuantity(value) === 0n ? undefined : value;
}

const isAmount = (value: unknown): value is Amount => typeof value === 'string' || typeof value === 'number';
