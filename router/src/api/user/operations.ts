// SPDX-License-Identifier: Apache-2.0
import type { Handlers } from '../contract.ts';

export const userOperations: Pick<Handlers, 'currentUser'> = {
  currentUser: ({ principal }) => {
    const { sub, email, name, groups, isAdmin } = principal;
    return { status: 200, body: { sub, email, name, groups, isAdmin } };
  },
};
