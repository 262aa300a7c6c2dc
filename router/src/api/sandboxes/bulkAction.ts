// SPDX-License-Identifier: Apache-2.0
import type { Call, Reply } from '../route.ts';
import { failureOf, mapBatch } from './batch.ts';

type BulkAction = 'stop' | 'resume' | 'delete';

export interface BulkActionBody {
  readonly action: BulkAction;
  readonly ids: readonly string[];
}

/** Does one thing to many sandboxes, to each as if it had been asked for alone. One that is named twice is meant once. */
export async function actOnMany(
  call: Call<BulkActionBody>,
  acts: Readonly<Record<BulkAction, (call: Call) => Promise<Reply>>>,
): Promise<Reply> {
  const { action, ids } = call.body;
  const results = await mapBatch([...new Set(ids)], async (id) => {
    try {
      await acts[action]({ ...call, params: { id } });
      return { id, status: 'ok' as const };
    } catch (error) {
      return { id, ...failureOf(error) };
    }
  });
  return { status: 200, body: { results } };
}
