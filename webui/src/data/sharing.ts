// SPDX-License-Identifier: Apache-2.0
import type { Operations } from '@agenttier/client';
import { placeOf } from './sandboxes.ts';
import type { SandboxKey } from './sandboxes.ts';
import type { Server } from './server.ts';

export type Sharing = Operations['getSharing']['answer'];
export type Level = 'viewer' | 'collaborator';
export type NewLink = NonNullable<Operations['createShareLink']['body']>;
export type ShareLink = Operations['createShareLink']['answer'];

export interface Grant {
  readonly identity: string;
  readonly level: Level;
  readonly kind: 'user' | 'group';
}

export const getSharing = ({ api }: Server, key: SandboxKey, signal: AbortSignal): Promise<Sharing> =>
  api.getSharing(placeOf(key), { signal });

export async function grantShare({ api }: Server, key: SandboxKey, body: Grant): Promise<void> {
  await api.grantShare({ ...placeOf(key), body });
}

export async function revokeShare({ api }: Server, key: SandboxKey, identity: string): Promise<void> {
  const { params, query } = placeOf(key);
  await api.revokeShare({ params: { ...params, identity }, query });
}

/** The token in the answer is shown this once. */
export const createShareLink = ({ api }: Server, key: SandboxKey, body: NewLink): Promise<ShareLink> =>
  api.createShareLink({ ...placeOf(key), body });

export async function deleteShareLink({ api }: Server, key: SandboxKey, link: string): Promise<void> {
  const { params, query } = placeOf(key);
  await api.deleteShareLink({ params: { ...params, link }, query });
}
