// SPDX-License-Identifier: Apache-2.0
import { parseInvokeEvent } from '@agenttier/crds/wire/agent';
import type { InvokeEvent } from '@agenttier/crds/wire/agent';
import { placeOf } from './sandboxes.ts';
import type { SandboxKey } from './sandboxes.ts';
import type { Server } from './server.ts';

/** Runs the agent with a prompt; what it prints comes as it is printed. Leaving the loop cancels it. */
export async function* invokeAgent(
  { api }: Server,
  key: SandboxKey,
  prompt: string,
  signal: AbortSignal,
): AsyncGenerator<InvokeEvent> {
  const { params, query } = placeOf(key);
  const events = await api.invokeAgent({ params, query: { ...query, prompt }, body: '' }, { signal });
  for await (const { event, data } of events) {
    const known = parseInvokeEvent({ event, data: JSON.stringify(data) });
    if (known !== undefined) yield known;
  }
}
