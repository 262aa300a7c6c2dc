// SPDX-License-Identifier: Apache-2.0
import type { EffectiveSpec, Quantity, Sandbox } from '../../generated/types.ts';
import { parseQuantity } from '../../meta/quantity.ts';

/** What counts against quotas; amounts in thousandths of their unit. */
export interface Amounts {
  readonly sandboxes: number;
  readonly agentSandboxes: number;
  readonly cpu: bigint;
  readonly memory: bigint;
  readonly storage: bigint;
}

export interface Demand extends Amounts {
  /** Whose sandbox it is. */
  readonly user: string;
}

export const NOTHING: Amounts = { sandboxes: 0, agentSandboxes: 0, cpu: 0n, memory: 0n, storage: 0n };

/**
 * What a sandbox takes as long as it exists, and so also in Error and while it is being deleted: its volume is there
 * until the finalizer goes. CPU and memory only while it is meant to run.
 */
export function demandOf({ spec = {} }: Pick<Sandbox, 'spec'>): Demand {
  const effective: EffectiveSpec = spec.resolved?.spec ?? spec;
  const runs = spec.desiredState !== 'Stopped';
  return {
    user: spec.createdBy?.sub ?? '',
    sandboxes: 1,
    agentSandboxes: effective.mode === 'agent' ? 1 : 0,
    cpu: runs ? limitsOf(effective, 'cpu') : 0n,
    memory: runs ? limitsOf(effective, 'memory') : 0n,
    storage: thousandths(effective.storage?.size),
  };
}

/**
 * Containers run side by side, and init containers before them, each alone: the larger of the two counts, as the scheduler
 * has it. One without a limit is taken for what it requests: admission refuses it under a cap.
 */
function limitsOf(spec: EffectiveSpec, resource: 'cpu' | 'memory'): bigint {
  const amount = ({ resources }: Pick<EffectiveSpec, 'resources'>): bigint =>
    thousandths(resources?.limits?.[resource] ?? resources?.requests?.[resource]);
  const together = [spec, ...(spec.sidecars ?? [])].reduce((sum, container) => sum + amount(container), 0n);
  const before = (spec.initContainers ?? []).map(amount);
  return before.reduce((most, next) => (next > most ? next : most), together);
}

const parsed = new Map<Quantity, bigint>();
const PARSED_ENTRIES = 5_000;

/** Few texts come again and again; those that are no amounts count nothing, other rules refuse them. */
export function thousandths(quantity: Quantity | undefined): bigint {
  if (quantity === undefined) return 0n;
  const known = parsed.get(quantity);
  if (known !== undefined) return known;
  const value = parseQuantity(quantity) ?? 0n;
  if (parsed.size >= PARSED_ENTRIES) parsed.clear();
  parsed.set(quantity, value);
  return value;
}

/** How much more `next` takes than `before`, per dimension and never negative; undefined when nothing. */
export function growth(next: Amounts, before: Amounts): Amounts | undefined {
  const more = {
    sandboxes: Math.max(0, next.sandboxes - before.sandboxes),
    agentSandboxes: Math.max(0, next.agentSandboxes - before.agentSandboxes),
    cpu: excess(next.cpu, before.cpu),
    memory: excess(next.memory, before.memory),
    storage: excess(next.storage, before.storage),
  };
  return Object.values(more).some((amount) => amount > 0) ? more : undefined;
}

const excess = (next: bigint, before: bigint): bigint => (next > before ? next - before : 0n);

export function plus(a: Amounts, b: Amounts): Amounts {
  return combine(a, b, 1);
}

export function minus(a: Amounts, b: Amounts): Amounts {
  return combine(a, b, -1);
}

function combine(a: Amounts, b: Amounts, sign: 1 | -1): Amounts {
  const times = BigInt(sign);
  return {
    sandboxes: a.sandboxes + sign * b.sandboxes,
    agentSandboxes: a.agentSandboxes + sign * b.agentSandboxes,
    cpu: a.cpu + times * b.cpu,
    memory: a.memory + times * b.memory,
    storage: a.storage + times * b.storage,
  };
}
