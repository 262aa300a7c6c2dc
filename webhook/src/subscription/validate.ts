// SPDX-License-Identifier: Apache-2.0
import type { WebhookSubscription } from '@agenttier/crds/generated/types';
import { equalJson } from '@agenttier/crds/meta/canonical';
import type { Violation } from '@agenttier/crds/meta/violation';
import type { PublicAddresses } from '@agenttier/machinery/http/publicAddress';
import { actorOf, principalOf } from '../identity.ts';
import type { Principal } from '../identity.ts';
import { ALLOW } from '../review.ts';
import type { Handler } from '../review.ts';
import { subscriptionOf } from './specified.ts';

export interface SubscriptionRules {
  readonly operatorUsername: string;
  readonly addresses: Pick<PublicAddresses, 'objection'>;
}

/** What a URL says by itself. Where its name leads is asked at each delivery, since that may change. */
export function urlViolations(text: string, addresses: SubscriptionRules['addresses']): Violation[] {
  const field = 'spec.url';
  const invalid = (message: string): Violation[] => [{ code: 'invalid_value', field, message }];
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return invalid('is no URL; write one such as https://hooks.example.com/agenttier');
  if (url.protocol !== 'https:') return invalid('must begin with https://');
  if (url.username !== '' || url.password !== '') {
    return invalid('must not hold a name or password; receivers know us by the signature');
  }
  const objection = addresses.objection(url.hostname);
  return objection === undefined
    ? []
    : invalid(`must be on a public address: ${objection}. The operator of the cluster can open ranges`);
}

/**
 * How far somebody may look: a person at the sandboxes that are theirs; who manages a namespace through the cluster's own
 * rights at that namespace; administrators at everything.
 */
function scopeViolations(scope: string, principal: Principal): Violation[] {
  const { admin, ofCluster } = actorOf(principal);
  const allowed = scope === 'Own' || admin || (scope === 'Namespace' && ofCluster);
  if (allowed) return [];
  const message = `${scope} is for ${scope === 'Cluster' ? 'administrators' : 'those who manage the namespace'}; Own are the sandboxes that you made`;
  return [{ code: 'not_owner', field: 'spec.scope', message }];
}

const NOT_OWNER = 'only the owner of the subscription or an administrator may do this';

function ownerViolations(old: WebhookSubscription, principal: Principal): Violation[] {
  const { admin, ofCluster, sub } = actorOf(principal);
  const allowed = admin || ofCluster || old.spec.createdBy?.sub === sub;
  return allowed ? [] : [{ code: 'not_owner', field: 'metadata.name', message: NOT_OWNER }];
}

function createViolations(
  { spec }: WebhookSubscription,
  principal: Principal,
  { addresses }: SubscriptionRules,
): Violation[] {
  return [...urlViolations(spec.url, addresses), ...scopeViolations(spec.scope ?? 'Own', principal)];
}

function updateViolations(
  subscription: WebhookSubscription,
  old: WebhookSubscription,
  principal: Principal,
  { addresses }: SubscriptionRules,
): Violation[] {
  const { url, scope = 'Own', createdBy } = subscription.spec;
  const forged: Violation = {
    code: 'owner_forged',
    field: 'spec.createdBy',
    message: 'is written at creation and never changes',
  };
  return [
    ...ownerViolations(old, principal),
    ...(equalJson(createdBy, old.spec.createdBy) ? [] : [forged]),
    // What was allowed once stays as it is: a rule that was tightened must not stop an edit of something else.
    ...(url === old.spec.url ? [] : urlViolations(url, addresses)),
    ...(scope === (old.spec.scope ?? 'Own') ? [] : scopeViolations(scope, principal)),
  ];
}

/** `/validate/subscriptions`. */
export function validateSubscriptions(rules: SubscriptionRules): Handler {
  return ({ operation, object, oldObject, userInfo }) => {
    const principal = principalOf(userInfo, rules.operatorUsername);
    const old = subscriptionOf(oldObject);
    if (operation === 'DELETE') return old ? { violations: ownerViolations(old, principal) } : ALLOW;
    const subscription = subscriptionOf(object);
    if (subscription === undefined || subscription.metadata.deletionTimestamp !== undefined) return ALLOW;
    const violations =
      operation === 'UPDATE' && old !== undefined
        ? updateViolations(subscription, old, principal, rules)
        : createViolations(subscription, principal, rules);
    return { violations };
  };
}
