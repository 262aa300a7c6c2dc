// SPDX-License-Identifier: Apache-2.0
import { jsonPatch } from '@agenttier/crds/meta/jsonPatch';
import { principalOf } from '../identity.ts';
import { ALLOW } from '../review.ts';
import type { Handler } from '../review.ts';
import { subscriptionOf } from './specified.ts';

/**
 * `/mutate/subscriptions`: writes whose subscription it is, from the authenticated request. An update that leaves the owner
 * out gets it back; one that changes it is refused by validation.
 */
export function mutateSubscriptions(operatorUsername: string): Handler {
  return ({ operation, object, oldObject, userInfo }) => {
    const subscription = subscriptionOf(object);
    if (subscription === undefined || operation === 'DELETE') return ALLOW;
    const old = operation === 'UPDATE' ? subscriptionOf(oldObject) : undefined;
    const { sub, email } = principalOf(userInfo, operatorUsername);
    const fresh = email === undefined ? { sub } : { sub, email };
    const createdBy = old === undefined ? fresh : (subscription.spec.createdBy ?? old.spec.createdBy);
    if (createdBy === undefined) return ALLOW;
    const stamped = { ...subscription, spec: { ...subscription.spec, createdBy } };
    return { violations: [], patch: jsonPatch(object, stamped) };
  };
}
