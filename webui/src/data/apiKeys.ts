// SPDX-License-Identifier: Apache-2.0
import type { Operations } from '@agenttier/client';
import type { Server } from './server.ts';

export type ApiKey = Operations['listApiKeys']['answer']['keys'][number];
export type NewKey = NonNullable<Operations['createApiKey']['body']>;
export type MintedKey = Operations['createApiKey']['answer'];

export async function listApiKeys({ api }: Server, signal: AbortSignal): Promise<readonly ApiKey[]> {
  return (await api.listApiKeys({}, { signal })).keys;
}

/** The key in the answer is shown this once. */
export const createApiKey = ({ api }: Server, body: NewKey): Promise<MintedKey> => api.createApiKey({ body });

export async function revokeApiKey({ api }: Server, key: string): Promise<void> {
  await api.revokeApiKey({ params: { key } });
}
