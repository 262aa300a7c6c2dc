// SPDX-License-Identifier: Apache-2.0
import type { Principal } from './principal.ts';

/** Who everybody is while development mode is on; credentials, even wrong ones, are not looked at then. */
export const DEV_PRINCIPAL: Principal = {
  sub: 'dev-user',
  email: 'dev@agenttier.local',
  name: 'Dev User',
  groups: ['agenttier-admins'],
  isAdmin: true,
};
