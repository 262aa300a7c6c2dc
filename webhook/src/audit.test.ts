// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '@agenttier/crds/meta/violation';
import type { AuditEntry, AuditEvent } from '@agenttier/machinery/telemetry/audit';
import { expect, it } from 'vitest';
import { admissionAudit } from './audit.ts';
import type { AdmissionRequest } from './review.ts';

const OPERATOR = 'system:serviceaccount:agenttier:agenttier-operator';

function audited(
  more: Partial<AdmissionRequest>,
  violations: readonly Violation[] = [],
  path = '/validate/sandboxes',
) {
  const kept: { entry: AuditEntry; event: AuditEvent | undefined }[] = [];
  const request: AdmissionRequest = {
    uid: 'r-1',
    kind: { group: 'agenttier.io', version: 'v1alpha1', kind: 'Sandbox' },
    operation: 'CREATE',
    name: 'one',
    namespace: 'team',
    userInfo: { username: 'agenttier:alice', groups: ['agenttier:users'] },
    ...more,
  };
  admissionAudit((entry, event) => void kept.push({ entry, event }), OPERATOR)(path, request, { violations });
  return kept;
}

const broken = (scope: 'cluster' | 'namespace'): Violation => ({
  code: 'cpu_limit_exceeded',
  field: 'spec.resources.limits.cpu',
  message: 'a secret amount',
  scope,
});

it('a change is kept with who made it and how it was decided', () => {
  expect(audited({})).toEqual([
    {
      entry: {
        actor: { sub: 'alice', email: undefined },
        action: 'Create',
        resource: 'Sandbox',
        namespace: 'team',
        name: 'one',
        requestUid: 'r-1',
        outcome: 'allowed',
      },
      event: undefined,
    },
  ]);
});

it('entering a pod is one, too', () => {
  const kind = { group: '', version: 'v1', kind: 'PodExecOptions' };
  const [kept] = audited({ operation: 'CONNECT', kind, subResource: 'exec' }, [], '/validate/connect');
  expect(kept?.entry).toMatchObject({ action: 'Connect', resource: 'PodExecOptions/exec' });
});

it('a refusal by a policy is an Event on that policy, without values', () => {
  const [change, denial] = audited({}, [broken('namespace')]);
  expect(change?.entry).toMatchObject({ outcome: 'denied', codes: ['cpu_limit_exceeded'] });
  expect(denial?.entry.action).toBe('PolicyDenied');
  expect(denial?.event).toEqual({
    regarding: {
      apiVersion: 'agenttier.io/v1alpha1',
      kind: 'GovernancePolicy',
      metadata: { name: 'default', namespace: 'team' },
    },
    type: 'Warning',
    note: 'A Sandbox in namespace team was refused: spec.resources.limits.cpu [cpu_limit_exceeded]',
  });
  expect(audited({}, [broken('cluster')])[1]?.event?.regarding).toMatchObject({
    kind: 'ClusterGovernancePolicy',
  });
  expect(audited({}, [{ code: 'invalid_value', field: 'spec', message: 'x' }]).length).toBe(1);
});

it('what changes nothing, and bookkeeping, is not kept', () => {
  expect(audited({ dryRun: true }, [broken('cluster')])).toEqual([]);
  expect(audited({}, [], '/mutate/sandboxes')).toEqual([]);
  expect(audited({ userInfo: { username: OPERATOR } })).toEqual([]);
});
