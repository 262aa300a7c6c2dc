// SPDX-License-Identifier: Apache-2.0
import { formatQuantity } from '../../meta/quantity.ts';
import type { Violation, ViolationCode } from '../../meta/violation.ts';
import type { PolicyScope } from '../effective.ts';
import type { Amounts } from './demand.ts';
import { thousandths } from './demand.ts';
import type { QuotaRequest } from './request.ts';
import type { QuotaLimits } from './limits.ts';

export interface QuotaQuestion {
  readonly request: QuotaRequest;
  /** What the request adds to what is taken. */
  readonly more: Amounts;
  readonly taken: { readonly amounts: Amounts; readonly ofUser: number };
  readonly limits: QuotaLimits;
  readonly scope: PolicyScope;
}

const SUMS = [
  { resource: 'cpu', code: 'total_cpu_exceeded', field: 'spec.resources.limits.cpu', binary: false },
  { resource: 'memory', code: 'total_memory_exceeded', field: 'spec.resources.limits.memory', binary: true },
  { resource: 'storage', code: 'total_storage_exceeded', field: 'spec.storage.size', binary: true },
] as const;

/** All caps that the request would pass. What it does not add to is not asked about, however far it is passed already. */
export function quotaViolations(question: QuotaQuestion): Violation[] {
  return [...countViolations(question), ...sumViolations(question)];
}

function countViolations({ request, more, taken, limits, scope }: QuotaQuestion): Violation[] {
  const where = scope === 'cluster' ? 'the cluster' : `namespace ${request.namespace}`;
  const all = { code: 'namespace_quota_exceeded', field: 'metadata.namespace', who: where } as const;
  const agents = { code: 'agent_sandbox_quota_exceeded', field: 'spec.mode', who: where } as const;
  const own = { code: 'user_quota_exceeded', field: 'spec.createdBy.sub', who: request.user } as const;
  const rows = [
    { count: all, more: more.sandboxes, taken: taken.amounts.sandboxes, limit: limits.sandboxes },
    { count: own, more: more.sandboxes, taken: taken.ofUser, limit: limits.perUser },
    {
      count: { ...agents, what: 'agent sandboxes' },
      more: more.agentSandboxes,
      taken: taken.amounts.agentSandboxes,
      limit: limits.agentSandboxes,
    },
  ];
  return rows.flatMap(({ count, more: asked, taken: has, limit }) =>
    asked === 0 ? [] : countViolation(count, has, { limit, scope }),
  );
}

interface Count {
  readonly code: ViolationCode;
  readonly field: string;
  readonly who: string;
  readonly what?: string;
}

function countViolation(
  { code, field, who, what = 'sandboxes' }: Count,
  taken: number,
  { limit, scope }: { readonly limit: number | undefined; readonly scope: PolicyScope },
): Violation[] {
  if (limit === undefined || taken + 1 <= limit) return [];
  const message = `${who} has ${taken} of the ${limit} ${what} that the ${scope} policy allows; delete one first`;
  return [{ code, field, message, limit, actual: taken + 1, scope }];
}

function sumViolations({ more, taken, limits, scope }: QuotaQuestion): Violation[] {
  return SUMS.flatMap(({ resource, code, field, binary }) => {
    const limit = limits[resource];
    const sum = taken.amounts[resource] + more[resource];
    if (limit === undefined || more[resource] === 0n || sum <= thousandths(limit)) return [];
    const [needs, has, actual] = [more[resource], taken.amounts[resource], sum].map((amount) =>
      formatQuantity(amount, binary),
    );
    const message = `${field} needs ${needs} more, and ${has} of the ${limit} that the ${scope} policy allows in all are taken; stop or delete a sandbox, or ask for less`;
    return [{ code, field, message, limit, actual: actual ?? '', scope }];
  });
}
