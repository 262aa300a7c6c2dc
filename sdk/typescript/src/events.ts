// SPDX-License-Identifier: Apache-2.0

/** One server-sent event. */
export interface ServerEvent {
  /** `message` when the server named none. */
  readonly event: string;
  /** Parsed where it is JSON, else the text. */
  readonly data: unknown;
  /** What to resume from; absent until the server has given one. */
  readonly id?: string;
}

/**
 * Reads a body of server-sent events (HTML standard, section 9.2.6) as they come. Leaving the loop ends the request. An
 * event that the end of the stream cuts off is dropped, as the standard asks.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new EventParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    // Of a body that failed this rejects with the same error again.
    await reader.cancel().catch(() => undefined);
  }
}

/** Text in pieces of any size to events. */
export class EventParser {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #id: string | undefined;

  push(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    this.#rest += text;
    for (;;) {
      const line = this.#takeLine();
      if (line === undefined) return events;
      const event = this.#line(line);
      if (event !== undefined) events.push(event);
    }
  }

  /** Lines end with LF, CR or CRLF; a CR at the very end may be the first half of a CRLF. */
  #takeLine(): string | undefined {
    const at = this.#rest.search(/[\r\n]/);
    if (at === -1) return undefined;
    const isCr = this.#rest[at] === '\r';
    if (isCr && at === this.#rest.length - 1) return undefined;
    const line = this.#rest.slice(0, at);
    this.#rest = this.#rest.slice(at + (isCr && this.#rest[at + 1] === '\n' ? 2 : 1));
    return line;
  }

  #line(line: string): ServerEvent | undefined {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    return undefined;
  }

  #dispatch(): ServerEvent | undefined {
    const [event, data] = [this.#event, this.#data];
    this.#event = '';
    this.#data = [];
    if (data.length === 0) return undefined;
    const parsed = { event: event || 'message', data: parsedData(data.join('\n')) };
    return this.#id === undefined ? parsed : { ...parsed, id: this.#id };
  }
}

function parsedData(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
