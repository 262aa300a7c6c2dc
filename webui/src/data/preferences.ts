// SPDX-License-Identifier: Apache-2.0
import type { Server } from './server.ts';

/** What a person has set in pages; other pages may keep their own settings beside ours. */
export type Preferences = Readonly<Record<string, unknown>>;

export const getPreferences = ({ api }: Server): Promise<Preferences> => api.getPreferences();

/** Changes these and leaves the others as they are stored now. */
export async function changePreferences({ api }: Server, change: Preferences): Promise<void> {
  await api.setPreferences({ body: { ...(await api.getPreferences()), ...change } });
}
