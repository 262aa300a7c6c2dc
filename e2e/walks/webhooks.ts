// SPDX-License-Identifier: Apache-2.0
import { getJson, type Json, until } from './harness.ts';

/** A webhook to kill: a rollout of an earlier walk may still be taking others away. */
export const webhookToKill = (): Promise<string> =>
  until('a webhook that stays', async () => {
    const pods = await getJson(['pods', '-n', 'agenttier', '-l', 'app.kubernetes.io/component=webhook']);
    const staying = (pods.items as Json[]).find(({ metadata }) => metadata.deletionTimestamp === undefined);
    return staying?.metadata.name as string | undefined;
  });
