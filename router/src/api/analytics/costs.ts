// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { LABEL_SANDBOX_UID, LABEL_SLOT_STATE, SLOT_STATES } from '@agenttier/crds/meta/labels';
import { thousandths } from '../../cluster/loads.ts';
import type { Amount, ClaimSize, PodLoad } from '../../cluster/loads.ts';
import { templateName } from '../sandboxes/view.ts';
import type { CostRates } from './rates.ts';

/** 365 days of 24 hours, by twelve: what clouds reckon a month as. */
const MONTH_HOURS = 730;
const HOUR_MS = 3_600_000;
const GIB = 1024 ** 3;

export interface Cluster {
  readonly sandboxes: readonly Sandbox[];
  readonly pods: readonly PodLoad[];
  readonly claims: readonly ClaimSize[];
}

/** One sandbox: what it takes now, what that costs an hour, and what it has cost in its life. */
export interface SandboxCost {
  readonly namespace: string;
  readonly sandbox: string;
  readonly user: string;
  readonly template: string;
  readonly running: boolean;
  readonly cpu: number;
  readonly memory_gib: number;
  readonly storage_gib: number;
  readonly hours_run: number;
  readonly hourly_compute: number;
  readonly hourly_storage: number;
  readonly cost_to_date: number;
}

/**
 * Costs of each sandbox, from what its pod has really asked for and its volume really has. Compute is paid for the hours that
 * it ran, at what it asks for now (or asked for last); storage for every hour since it was made, running or not.
 */
export function costsOf({ sandboxes, pods, claims }: Cluster, rates: CostRates, now: number): SandboxCost[] {
  const loads = new Map(pods.filter(isHolding).map((pod) => [uidOf(pod), pod.load]));
  const sizes = new Map<string, number>();
  for (const claim of claims) {
    const uid = uidOf(claim);
    sizes.set(uid, (sizes.get(uid) ?? 0) + thousandths(claim.status?.capacity?.['storage']) / 1000 / GIB);
  }
  return sandboxes
    .map((sandbox) => {
      const uid = sandbox.metadata.uid ?? '';
      return costOf({ sandbox, load: loads.get(uid), storage: sizes.get(uid) ?? 0 }, rates, now);
    })
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

const uidOf = ({ metadata }: PodLoad | ClaimSize): string => metadata.labels?.[LABEL_SANDBOX_UID] ?? '';

const keyOf = ({ namespace, sandbox }: SandboxCost): string => `${namespace}/${sandbox}`;

/** Pods that have ended hold nothing any more, and free ones of a warm pool are nobody's. */
function isHolding({ metadata, status }: PodLoad): boolean {
  const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return !ended && metadata.labels?.[LABEL_SLOT_STATE] !== SLOT_STATES.open;
}

interface Taken {
  readonly sandbox: Sandbox;
  /** Of its pod; undefined while it has none. */
  readonly load: Amount | undefined;
  /** In GiB. */
  readonly storage: number;
}

function costOf({ sandbox, load, storage }: Taken, rates: CostRates, now: number): SandboxCost {
  const asked = computeOf(load ?? askedFor(sandbox), rates);
  const hourlyStorage = (storage * rates.storageGiBMonth) / MONTH_HOURS;
  const hoursRun = hoursRunOf(sandbox, now);
  const hoursKept = hoursSince(sandbox.metadata.creationTimestamp, now);
  return {
    ...identityOf(sandbox),
    running: load !== undefined,
    cpu: asked.cpu,
    memory_gib: rounded(asked.memory),
    storage_gib: rounded(storage),
    hours_run: rounded(hoursRun),
    hourly_compute: load === undefined ? 0 : rounded(asked.hourly),
    hourly_storage: rounded(hourlyStorage),
    cost_to_date: rounded(asked.hourly * hoursRun + hourlyStorage * hoursKept),
  };
}

function identityOf(sandbox: Sandbox): Pick<SandboxCost, 'namespace' | 'sandbox' | 'user' | 'template'> {
  const { namespace = '', name = '' } = sandbox.metadata;
  const { email, sub = '' } = sandbox.spec?.createdBy ?? {};
  return { namespace, sandbox: name, user: email ?? sub, template: templateName(sandbox) || '_none' };
}

function computeOf({ cpuMillis, memBytes }: Amount, rates: CostRates) {
  const cpu = cpuMillis / 1000;
  const memory = memBytes / GIB;
  return { cpu, memory, hourly: cpu * rates.cpuHour + memory * rates.memoryGiBHour };
}

/** What the main container of a stopped sandbox would ask for: all that is left to say of its pod. */
function askedFor({ spec }: Sandbox): Amount {
  const { cpu, memory } = spec?.resolved?.spec?.resources?.requests ?? {};
  return { cpuMillis: thousandths(cpu), memBytes: thousandths(memory) / 1000 };
}

function hoursRunOf({ status }: Sandbox, now: number): number {
  return (status?.runSeconds ?? 0) / 3600 + hoursSince(status?.startedAt, now);
}

function hoursSince(time: string | undefined, now: number): number {
  const at = Date.parse(time ?? '');
  return Number.isNaN(at) ? 0 : Math.max(0, now - at) / HOUR_MS;
}

/** To a millionth: an hour of a small sandbox costs less than a hundredth of a cent. */
const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

interface Line {
  readonly hourly_cost: number;
  readonly cost_to_date: number;
  readonly count: number;
}

/** Sums by whatever `nameOf` says, the dearest first. */
function sums(costs: readonly SandboxCost[], nameOf: (cost: SandboxCost) => string): [string, Line][] {
  const lines = new Map<string, Line>();
  for (const cost of costs) {
    const { hourly_cost = 0, cost_to_date = 0, count = 0 } = lines.get(nameOf(cost)) ?? {};
    lines.set(nameOf(cost), {
      hourly_cost: rounded(hourly_cost + cost.hourly_compute + cost.hourly_storage),
      cost_to_date: rounded(cost_to_date + cost.cost_to_date),
      count: count + 1,
    });
  }
  return [...lines].sort(([, a], [, b]) => b.hourly_cost - a.hourly_cost);
}

/** The summary of all, in the names that clients know. Compute counts what runs, storage all. */
export function costSummary(costs: readonly SandboxCost[], rates: CostRates) {
  const total = (value: (cost: SandboxCost) => number): number =>
    rounded(costs.reduce((sum, cost) => sum + value(cost), 0));
  const compute = total((cost) => cost.hourly_compute);
  const storage = total((cost) => cost.hourly_storage);
  const running = costs.filter((cost) => cost.running).length;
  return {
    currency: rates.currency,
    rates: {
      cpu_hour: rates.cpuHour,
      memory_gib_hour: rates.memoryGiBHour,
      storage_gib_month: rates.storageGiBMonth,
    },
    running_sandboxes: running,
    stopped_sandboxes: costs.length - running,
    total_hourly_compute: compute,
    total_hourly_storage: storage,
    total_estimated_monthly: rounded((compute + storage) * MONTH_HOURS),
    total_cost_to_date: total((cost) => cost.cost_to_date),
    per_template: sums(costs, ({ template }) => template).map(([template, line]) => ({ template, ...line })),
    per_user: sums(costs, ({ user }) => user).map(([user, line]) => ({ user, ...line })),
    per_namespace: sums(costs, ({ namespace }) => namespace).map(([namespace, line]) => ({
      namespace,
      ...line,
    })),
  };
}
