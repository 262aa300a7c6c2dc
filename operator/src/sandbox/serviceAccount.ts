// SPDX-License-Identifier: Apache-2.0
import { serviceAccountName } from '@agenttier/crds/meta/names';
import type { ServiceAccount } from '../core.ts';
import { hasOwnedMeta, ownedMeta } from './ownership.ts';
import type { Identity } from './ownership.ts';

/**
 * An identity of its own for each sandbox, bound to no role. No token is mounted, so code inside cannot reach the API
 * server even by mistake; cloud identities that project their own token still work with it.
 */
export function buildServiceAccount(owner: Identity): ServiceAccount {
  return { metadata: ownedMeta(owner, serviceAccountName(owner.name)), automountServiceAccountToken: false };
}

export const serviceAccountMatches = (live: ServiceAccount, desired: ServiceAccount): boolean =>
  hasOwnedMeta(live, desired) && live.automountServiceAccountToken === false;
