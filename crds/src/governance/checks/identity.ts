// SPDX-License-Identifier: Apache-2.0
import type { Violation } from '../../meta/violation.ts';
import type { PolicyInput } from '../check.ts';
import { isListed } from '../grants.ts';

/** allowedIdentities: each role at a cloud is listed. One that an account of somebody's own would not get is said, too. */
export function checkIdentity({ policy, resolved }: PolicyInput): Violation[] {
  const { identity = {}, serviceAccount } = resolved.spec ?? {};
  const asked = Object.entries(identity).filter(([, value]) => Boolean(value)) as [string, string][];
  if (asked.length > 0 && serviceAccount) {
    const message = `spec.identity goes to the sandbox's own ServiceAccount, but spec.serviceAccount is ${serviceAccount}: set one of the two`;
    return [{ code: 'invalid_value', field: 'spec.identity', message }];
  }
  return asked.flatMap(([name, value]): Violation[] => {
    if (isListed(policy.allowedIdentities, value)) return [];
    const field = `spec.identity.${name}`;
    const message = `${field} is ${value}, which allowedIdentities of the cluster's policy has to list`;
    return [{ code: 'identity_not_allowed', field, message, actual: value }];
  });
}
