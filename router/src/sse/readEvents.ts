// SPDX-License-Identifier: Apache-2.0
import { ServerEventParser } from '@agenttier/crds/wire/serverEvents';
import type { ServerEvent } from '@agenttier/crds/wire/serverEvents';

/** The events of a body as they come; what is left of one that the end cut off is no event. */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const parser = new ServerEventParser();
  const decoder = new TextDecoder();
  for await (const bytes of body) yield* parser.push(decoder.decode(bytes, { stream: true }));
}

/**
 * The event that a client has seen last: the header that browsers send by themselves, or `?after=` for those that cannot
 * set it. Undefined when there is none.
 */
export function lastEventId(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  query: URLSearchParams,
): string | undefined {
  const header = headers['last-event-id'];
  const text = (typeof header === 'string' ? header : header?.[0]) || query.get('after');
  return text || undefined;
}
