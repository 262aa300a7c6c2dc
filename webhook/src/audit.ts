// SPDX-License-Identifier: Apache-2.0
import { API_VERSION } from '@agenttier/crds/meta/labels';
import {
  CLUSTER_GOVERNANCE_POLICIES,
  GOVERNANCE_POLICIES,
  POLICY_NAME,
} from '@agenttier/crds/meta/resources';
import { VIOLATIONS } from '@agenttier/crds/meta/violation';
import type { Violation } from '@agenttier/crds/meta/violation';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import type { Audit, AuditEntry, AuditEvent } from '@agenttier/machinery/telemetry/audit';
import { principalOf } from './identity.ts';
import type { AdmissionRequest, Verdict } from './review.ts';

const ACTIONS: Readonly<Record<AdmissionRequest['operation'], string>> = {
  CREATE: 'Create',
  UPDATE: 'Update',
  DELETE: 'Delete',
  CONNECT: 'Connect',
};

export type AdmissionAudit = (path: string, request: AdmissionRequest, verdict: Verdict) => void;

/**
 * Audits what was decided about changes of our kinds and about entering a pod, whichever way they came. Mutation decides
 * nothing, dry runs change nothing, and the operator's own bookkeeping is nobody's act.
 */
export function admissionAudit(audit: Audit, operatorUsername: string): AdmissionAudit {
  return (path, request, verdict) => {
    const principal = principalOf(request.userInfo, operatorUsername);
    const decided = path.startsWith('/validate/') && request.dryRun !== true;
    if (!decided || (principal.role === 'operator' && verdict.violations.length === 0)) return;
    const entry = entryOf(request, verdict.violations, { sub: principal.sub, email: principal.email });
    audit(entry);
    const refusal = refusedByPolicy(request, verdict.violations);
    if (refusal !== undefined) audit({ ...entry, action: 'PolicyDenied' }, refusal);
  };
}

function entryOf(
  { operation, kind, namespace, name, uid, subResource }: AdmissionRequest,
  violations: readonly Violation[],
  actor: AuditEntry['actor'],
): AuditEntry {
  const codes = [...new Set(violations.map(({ code }) => code))];
  return {
    actor,
    action: ACTIONS[operation],
    resource: subResource === undefined || subResource === '' ? kind.kind : `${kind.kind}/${subResource}`,
    namespace,
    name,
    requestUid: uid,
    outcome: codes.length > 0 ? 'denied' : 'allowed',
    ...(codes.length > 0 ? { codes } : {}),
  };
}

/** The Sandbox does not exist, so the Event is on the policy that said no; its fields and codes, never values. */
function refusedByPolicy(
  { kind, namespace }: AdmissionRequest,
  violations: readonly Violation[],
): AuditEvent | undefined {
  const broken = violations.filter(({ code, scope }) => scope !== undefined && VIOLATIONS[code] === 403);
  if (broken.length === 0) return undefined;
  const local = broken.some(({ scope }) => scope === 'namespace');
  const what = broken.map(({ field, code }) => `${field} [${code}]`).join(', ');
  const note = `A ${kind.kind} in namespace ${namespace} was refused: ${what}`;
  return { regarding: policyOf(local ? namespace : undefined), type: 'Warning', note };
}

function policyOf(namespace: string | undefined): KubeObject {
  const { kind } = namespace === undefined ? CLUSTER_GOVERNANCE_POLICIES : GOVERNANCE_POLICIES;
  const metadata = { name: POLICY_NAME, ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion: API_VERSION, kind, metadata };
}
