// SPDX-License-Identifier: Apache-2.0
import type { PolicyUsage, UsageRow } from '@agenttier/crds/explain/usage';
import type { Violation, ViolationCode } from '@agenttier/crds/meta/violation';
import { HttpError } from '../errors.ts';

export interface Wanted {
  readonly namespace: string;
  readonly isAgent: boolean;
}

export interface BatchContext {
  readonly namespace: string;
  readonly wanted: readonly Wanted[];
  /** Of the policies that bound the namespace, for the person who asks. */
  readonly usages: readonly PolicyUsage[];
  readonly sub: string;
}

/** Throws 409 when what the policies have left is less than the batch wants, before any of it is created. */
export function refuseBatch(context: BatchContext): void {
  const violations = violationsOf(context);
  if (violations.length === 0) return;
  const message = violations.map(({ message }) => message).join('; ');
  throw new HttpError(409, {
    error: 'quota_would_exceed',
    message,
    namespace: context.namespace,
    violations,
  });
}

/** The cluster's policy counts the whole batch, that of the namespace its own part of it. */
export function violationsOf({ namespace, wanted, usages, sub }: BatchContext): Violation[] {
  return usages.flatMap(({ scope, rows }) => {
    const counted = scope === 'cluster' ? wanted : wanted.filter((one) => one.namespace === namespace);
    return rows.flatMap((row): Violation[] => {
      const kind = kindOf(row, sub);
      if (kind === undefined || row.limit === undefined) return [];
      const more = kind.agentsOnly ? counted.filter(({ isAgent }) => isAgent).length : counted.length;
      const left = Number(row.left ?? 0);
      if (more <= left) return [];
      const message = `the batch wants ${more} more ${kind.words}, and ${left} of ${row.limit} are left`;
      const actual = Number(row.used) + more;
      return [{ code: kind.code, field: 'items', message, limit: row.limit, actual, scope }];
    });
  });
}

interface Kind {
  readonly code: ViolationCode;
  readonly words: string;
  readonly agentsOnly: boolean;
}

/** Sums of CPU, memory and storage are left to admission: what each one takes is known when its template is merged. */
function kindOf({ dimension, user }: UsageRow, sub: string): Kind | undefined {
  if (dimension === 'agentSandboxes') {
    return { code: 'agent_sandbox_quota_exceeded', words: 'agent sandboxes', agentsOnly: true };
  }
  if (dimension !== 'sandboxes') return undefined;
  if (user === undefined) return { code: 'namespace_quota_exceeded', words: 'sandboxes', agentsOnly: false };
  return user === sub
    ? { code: 'user_quota_exceeded', words: 'sandboxes of yours', agentsOnly: false }
    : undefined;
}
