// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';

/** allowRelaxedSecurity: the hardening of the main container stays, unless a policy allows to relax it. */
export function checkSecurity({ policy, resolved }: PolicyInput): Violation[] {
  if (resolved.spec?.security?.privileged !== true || policy.allowRelaxedSecurity !== undefined) return [];
  const field = 'spec.security.privileged';
  const message = `${field} relaxes the hardening of the container, which no policy allows here: leave it out, or ask for allowRelaxedSecurity`;
  return [{ code: 'security_relaxation_not_allowed', field, message, limit: 'false', actual: 'true' }];
}
