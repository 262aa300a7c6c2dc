// SPDX-License-Identifier: Apache-2.0
import { type ServerEvent, ServerEventParser } from '@agenttier/crds/wire/serverEvents';

/** The events of an answer as they come. Ends without an error when the connection does; the last event says whether all is there. */
export async function* serverEvents(answer: Response): AsyncGenerator<ServerEvent> {
  if (!answer.body) return;
  const parser = new ServerEventParser();
  const decoder = new TextDecoder();
  for await (const bytes of answer.body as unknown as AsyncIterable<Uint8Array>) {
    yield* parser.push(decoder.decode(bytes, { stream: true }));
  }
}

export const EVENT_STREAM = 'text/event-stream';
