// SPDX-License-Identifier: Apache-2.0
import type { SystemAccounts } from '../config.ts';
import { actorOf, principalOf } from '../identity.ts';
import { ALLOW } from '../review.ts';
import type { Handler } from '../review.ts';

/**
 * `/validate/status`: what a sandbox is said to be is the operator's to say, and ours and the router's when it was last
 * used. Who could write it could point `podName` at another pod.
 */
export function validateStatus(accounts: SystemAccounts): Handler {
  const writers = new Set([accounts.operator, accounts.router, accounts.webhook]);
  return (request) => {
    const actor = actorOf(principalOf(request.userInfo, accounts.operator));
    const masters = actor.ofCluster && actor.admin;
    if (writers.has(request.userInfo.username ?? '') || masters) return ALLOW;
    const message = 'is written by AgentTier only; change spec to ask for something';
    return { violations: [{ code: 'status_reserved', field: 'status', message }] };
  };
}
