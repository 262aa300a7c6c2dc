// SPDX-License-Identifier: Apache-2.0
import type { PolicySpec, PolicyStatus, PolicyStatusReservationsValue } from '../generated/types.ts';
import type { PolicyScope } from '../governance/effective.ts';
import { parseQuantity } from '../meta/quantity.ts';
import { quantityLeft, quantityText } from './amount.ts';

type Amount = string | number;

/** One thing that a policy counts. */
export interface UsageRow {
  /** `sandboxes`, `agentSandboxes`, `cpu`, `memory`, `storage`, or whatever else the status counts. */
  readonly dimension: string;
  /** The person that it is about; absent = everybody together. */
  readonly user?: string;
  readonly used: Amount;
  /** Held for what is being admitted at this moment, beside what is used. */
  readonly reserved?: Amount;
  /** Absent = nothing is set. */
  readonly limit?: Amount;
  /** Limit minus used and reserved; present with a limit. */
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
    const held = sum(reservationsOf(status), (one) => HELD[dimension]?.(one) ?? 0n);
    if (amount === undefined && limit === undefined && held === 0n) return [];
    return [row({ dimension }, amount ?? 0, held, limit)];
  });
}

function userRows(
  spec: PolicySpec | undefined,
  status: PolicyStatus | undefined,
  shown: UsersShown,
): UsageRow[] {
  const perUser = status?.used?.perUser ?? {};
  const limit = limitOf(spec?.maxSandboxesPerUser);
  const reservations = reservationsOf(status);
  const known = [
    ...Object.keys(perUser),
    ...(limit === undefined ? [] : reservations.map(({ user = '' }) => user)),
  ];
  const names = shown === 'all' ? [...new Set(known)].toSorted() : [shown.sub];
  return names.flatMap((user) => {
    const used = Object.hasOwn(perUser, user) ? perUser[user] : undefined;
    if (used === undefined && limit === undefined) return [];
    const own = reservations.filter((one) => one.user === user);
    return [row({ dimension: 'sandboxes', user }, used ?? 0, sum(own, newSandboxes), limit)];
  });
}

type Reservation = PolicyStatusReservationsValue & { readonly generation?: number };

const reservationsOf = (status: PolicyStatus | undefined): readonly Reservation[] =>
  Object.values(status?.reservations ?? {});

/** One that names a generation is for a change of a sandbox that is counted already. */
const newSandboxes = ({ generation }: Reservation): bigint => (generation === undefined ? MILLI : 0n);

const MILLI = 1000n;

/** What a reservation holds, in thousandths. */
const HELD: Readonly<Record<string, (one: Reservation) => bigint>> = {
  sandboxes: newSandboxes,
  agentSandboxes: ({ agent }) => (agent === true ? MILLI : 0n),
  cpu: ({ cpu = 0 }) => parseQuantity(cpu) ?? 0n,
  memory: ({ memory = 0 }) => parseQuantity(memory) ?? 0n,
  storage: ({ storage = 0 }) => parseQuantity(storage) ?? 0n,
};

const sum = (all: readonly Reservation[], of: (one: Reservation) => bigint): bigint =>
  all.reduce((total, one) => total + of(one), 0n);

function row(
  what: Pick<UsageRow, 'dimension' | 'user'>,
  used: Amount,
  held: bigint,
  limit: Amount | undefined,
): UsageRow {
  const taken = (parseQuantity(used) ?? 0n) + held;
  const left = limit === undefined ? undefined : quantityLeft(limit, taken);
  const like = (text: string): Amount =>
    typeof used === 'number' && typeof limit !== 'string' ? Number(text) : text;
  return {
    ...what,
    used,
    ...(held === 0n ? {} : { reserved: like(quantityText(held, limit ?? used)) }),
    ...(limit === undefined ? {} : { limit }),
    ...(left === undefined ? {} : { left: like(left) }),
  };
}

/** Zero and empty set no limit, as everywhere in a policy. */
function limitOf(value: Amount | undefined): Amount | undefined {
  return value === undefined || value === '' || parseQuantity(value) === 0n ? undefined : value;
}

const isAmount = (value: unknown): value is Amount => typeof value === 'string' || typeof value === 'number';
