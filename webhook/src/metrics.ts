// SPDX-License-Identifier: Apache-2.0
import { Counter, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { AdmissionRequest, Verdict } from './review.ts';

/** Counts what admission did. Labels come from small fixed sets: never a user's, a sandbox's or a namespace's name. */
export interface AdmissionMetrics {
  observe(path: string, request: AdmissionRequest, verdict: Verdict, elapsedMs: number): void;
  observeFault(path: string, request: AdmissionRequest, elapsedMs: number): void;
}

const BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1];

/** `/validate/sandboxes` is `validate.sandboxes`: the name of the webhook without its domain. */
function webhookName(path: string): string {
  return path.slice(1).replaceAll('/', '.');
}

export function createAdmissionMetrics(registry: Registry): AdmissionMetrics {
  const labelNames = ['webhook', 'operation', 'result'] as const;
  const requests = new Counter({
    name: 'agenttier_admission_requests_total',
    help: 'Admission requests by webhook, operation and result (allowed, denied, error).',
    labelNames,
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'agenttier_admission_duration_seconds',
    help: 'Time from the parsed request to the answer.',
    labelNames,
    buckets: BUCKETS,
    registers: [registry],
  });
  const violations = new Counter({
    name: 'agenttier_policy_violations_total',
    help: 'Violations found, by code and by the scope of the policy that was broken; dry runs are not counted.',
    labelNames: ['code', 'scope'],
    registers: [registry],
  });
  const record = (path: string, request: AdmissionRequest, result: string, elapsedMs: number): void => {
    const labels = { webhook: webhookName(path), operation: request.operation, result };
    requests.inc(labels);
    duration.observe(labels, elapsedMs / 1000);
  };
  return {
    observe(path, request, verdict, elapsedMs) {
      record(path, request, verdict.violations.length > 0 ? 'denied' : 'allowed', elapsedMs);
      for (const { code, scope } of request.dryRun ? [] : verdict.violations) {
        violations.inc({ code, scope: scope ?? '' });
      }
    },
    observeFault(path, request, elapsedMs) {
      record(path, request, 'error', elapsedMs);
    },
  };
}

/** Counts writes to quota ledgers, by the scope of the policy and whether another writer was faster. */
export function ledgerMetrics(registry: Registry): (scope: string, result: 'written' | 'lost') => void {
  const writes = new Counter({
    name: 'agenttier_quota_ledger_writes_total',
    help: 'Writes to quota ledgers, by the scope of the policy and result (written, lost against another writer).',
    labelNames: ['scope', 'result'],
    registers: [registry],
  });
  return (scope, result) => writes.inc({ scope, result });
}
