// SPDX-License-Identifier: Apache-2.0
import type { SandboxWarmPool } from '@agenttier/crds/generated/types';
import { refusals } from '../errors.ts';

export interface PoolWish {
  readonly template: string;
  readonly desiredCount: number;
}

/** How many of one template clients of this route may ask for; `POST /warmpools` and kubectl know no such bound. */
const MOST = 10;

/** The pools that a body asks for, as a list or in the older form of one. Throws 400 with every problem. */
export function readConfig(body: unknown): PoolWish[] {
  const given = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const listed = given['pools'] ?? ('template' in given ? [given] : undefined);
  if (!Array.isArray(listed)) {
    throw refusals.invalidFields([
      { field: 'pools', message: 'must be a list of { template, desiredCount }' },
    ]);
  }
  const problems = listed.flatMap((one: unknown, i) => problemsOf(one, i));
  const templates = listed.map((one) => (one as Partial<PoolWish> | null)?.template);
  const twice = templates.findIndex((name, i) => name !== undefined && templates.indexOf(name) !== i);
  if (twice !== -1) problems.push({ field: `pools[${twice}].template`, message: 'is there twice' });
  if (problems.length > 0) throw refusals.invalidFields(problems);
  return (listed as PoolWish[]).map(({ template, desiredCount }) => ({ template, desiredCount }));
}

function problemsOf(one: unknown, i: number): { field: string; message: string }[] {
  const { template, desiredCount } = (one ?? {}) as { template?: unknown; desiredCount?: unknown };
  const named = typeof template === 'string' && template !== '';
  const counted =
    typeof desiredCount === 'number' &&
    Number.isInteger(desiredCount) &&
    desiredCount >= 0 &&
    desiredCount <= MOST;
  return [
    ...(named ? [] : [{ field: `pools[${i}].template`, message: 'is required' }]),
    ...(counted ? [] : [{ field: `pools[${i}].desiredCount`, message: `must be 0-${MOST}` }]),
  ];
}

/** What has to be done for the pools of a namespace to be those that were asked for. */
export interface PoolPlan {
  readonly create: readonly PoolWish[];
  readonly scale: readonly { readonly pool: SandboxWarmPool; readonly desiredCount: number }[];
  readonly remove: readonly SandboxWarmPool[];
}

/** A pool is known by its template; the first by name stays where there are several of one. */
export function planPools(pools: readonly SandboxWarmPool[], wishes: readonly PoolWish[]): PoolPlan {
  const kept = wishes.map((wish) => ({
    wish,
    pool: pools
      .filter(({ spec }) => spec.templateRef.name === wish.template)
      .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))[0],
  }));
  const staying = new Set(kept.map(({ pool }) => pool));
  return {
    create: kept.filter(({ pool }) => pool === undefined).map(({ wish }) => wish),
    scale: kept.flatMap(({ wish: { desiredCount }, pool }) =>
      pool === undefined || pool.spec.replicas === desiredCount ? [] : [{ pool, desiredCount }],
    ),
    remove: pools.filter((pool) => !staying.has(pool)),
  };
}
