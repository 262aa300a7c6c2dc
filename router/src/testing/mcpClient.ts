// SPDX-License-Identifier: Apache-2.0
import { readEvents } from '@agenttier/machinery/mcp/events';
import type { Json } from './harness.ts';

export interface McpReply {
  readonly status: number;
  readonly headers: Headers;
  /** The answer to the request itself. */
  readonly body: Json;
  /** Every message that came before it. */
  readonly notices: readonly Json[];
}

/** Sends one message of MCP and collects what comes back, whether that is JSON or a stream. */
export async function mcpCall(
  url: string,
  headers: Readonly<Record<string, string>>,
  message: Readonly<Record<string, unknown>>,
): Promise<McpReply> {
  const answer = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
  });
  const messages: Json[] = [];
  if (answer.headers.get('content-type')?.includes('event-stream')) {
    for await (const { data } of readEvents(answer.body as AsyncIterable<Uint8Array>)) {
      if (data !== '') messages.push(JSON.parse(data));
    }
  } else {
    const text = await answer.text();
    if (text !== '') messages.push(JSON.parse(text));
  }
  return {
    status: answer.status,
    headers: answer.headers,
    body: messages.at(-1),
    notices: messages.slice(0, -1),
  };
}
