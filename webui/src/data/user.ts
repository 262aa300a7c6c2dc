// SPDX-License-Identifier: Apache-2.0
import type { Operations } from '@agenttier/client';
import type { Server } from './server.ts';

export type User = Operations['currentUser']['answer'];

export const currentUser = ({ api }: Server): Promise<User> => api.currentUser();

/** What to call somebody: issuers need not tell a name, nor an address. */
export const nameOf = ({ name, email, sub }: User): string => name || email || sub;

/** How people sign in here; `dev` = everybody is an administrator. */
export type AuthConfig = Operations['signInConfig']['answer'];

export const authConfig = ({ api }: Server): Promise<AuthConfig> => api.signInConfig();
