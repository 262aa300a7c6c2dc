// SPDX-License-Identifier: Apache-2.0
import type { SpecifiedSandbox } from './specified.ts';
import type { Violation } from '@agenttier/crds/meta/violation';
import type { Principal } from '../identity.ts';
import { metadataChanged, specChanged } from './change.ts';

const NOT_OWNER = 'only the owner of the sandbox or an administrator may do this';

function isStranger(principal: Principal, old: SpecifiedSandbox): boolean {
  return principal.role === 'person' && principal.sub !== old.spec.createdBy?.sub;
}

/** People behind the router may change their own sandboxes only; the operator may change metadata only. */
export function accessViolations(
  principal: Principal,
  sandbox: SpecifiedSandbox,
  old: SpecifiedSandbox,
): Violation[] {
  const changed = specChanged(sandbox, old);
  if (principal.role === 'operator' && changed) {
    return [
      { code: 'owner_forged', field: 'spec', message: 'the operator may change metadata and status only' },
    ];
  }
  if (isStranger(principal, old) && (changed || metadataChanged(sandbox, old))) {
    return [{ code: 'owner_forged', field: changed ? 'spec' : 'metadata', message: NOT_OWNER }];
  }
  return [];
}

export function deleteViolations(principal: Principal, old: SpecifiedSandbox): Violation[] {
  return isStranger(principal, old)
    ? [{ code: 'owner_forged', field: 'metadata.name', message: NOT_OWNER }]
    : [];
}
