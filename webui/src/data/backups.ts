// SPDX-License-Identifier: Apache-2.0
import type { Operations } from '@agenttier/client';
import { placeOf } from './sandboxes.ts';
import type { SandboxKey } from './sandboxes.ts';
import type { Server } from './server.ts';

export type Backup = Operations['listBackups']['answer']['backups'][number];
export type Restored = Operations['restoreBackup']['answer'];

export async function listBackups(
  { api }: Server,
  key: SandboxKey,
  signal: AbortSignal,
): Promise<readonly Backup[]> {
  return (await api.listBackups(placeOf(key), { signal })).backups;
}

export async function createBackup({ api }: Server, key: SandboxKey): Promise<void> {
  await api.createBackup({ ...placeOf(key), body: {} });
}

/** Makes a new sandbox of it; the one that it is of stays as it is. */
export function restoreBackup(
  { api }: Server,
  key: SandboxKey,
  snapshot: string,
  name: string,
): Promise<Restored> {
  const { params, query } = placeOf(key);
  return api.restoreBackup({ params: { ...params, snapshot }, query, body: name === '' ? {} : { name } });
}

export async function deleteBackup({ api }: Server, key: SandboxKey, snapshot: string): Promise<void> {
  const { params, query } = placeOf(key);
  await api.deleteBackup({ params: { ...params, snapshot }, query });
}
