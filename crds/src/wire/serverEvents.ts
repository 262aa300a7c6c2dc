// SPDX-License-Identifier: Apache-2.0

/** One event of a `text/event-stream` (WHATWG HTML, section 9.2). */
export interface ServerEvent {
  /** Position in the stream, for `Last-Event-ID`; absent where nothing can be resumed. */
  readonly id?: string;
  readonly event: string;
  readonly data: string;
}

/** A stream without end to one of its lines, or one event of this size, is no stream of ours. */
const MAX_EVENT = 16 * 1024 * 1024;

/**
 * The text of one event whose data is a JSON value. JSON has no raw line breaks, so it is one `data` line, as clients that
 * read the stream line by line expect. Line breaks in a name or an id would end the field, so they are left out.
 */
export function encodeServerEvent(event: string, data: unknown, id?: string | number): string {
  const position = id === undefined ? '' : `id: ${oneLine(String(id))}\n`;
  return `${position}event: ${oneLine(event)}\ndata: ${JSON.stringify(data)}\n\n`;
}

const oneLine = (text: string): string => text.replaceAll(/[\r\n\0]/g, '');

/** Takes a stream apart, in whatever pieces its text comes. */
export class ServerEventParser {
  #rest = '';
  #afterReturn = false;
  #size = 0;
  #event = '';
  #id: string | undefined;
  #data: string[] = [];

  /** The events that are complete with this piece. Throws when one is larger than anything that we send. */
  push(piece: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    // A line break of two characters may come in two pieces.
    let text = this.#afterReturn && piece.startsWith('\n') ? piece.slice(1) : piece;
    if (piece !== '') this.#afterReturn = piece.endsWith('\r');
    if (this.#rest !== '') text = this.#rest + text;
    let from = 0;
    for (const { 0: end, index } of text.matchAll(/\r\n|\r|\n/g)) {
      const done = this.#line(text.slice(from, index));
      if (done) events.push(done);
      from = index + end.length;
    }
    this.#rest = text.slice(from);
    if (this.#size + this.#rest.length > MAX_EVENT) throw new Error('an event of the stream has no end');
    return events;
  }

  #line(line: string): ServerEvent | undefined {
    if (line === '') return this.#dispatch();
    this.#size += line.length;
    const colon = line.indexOf(':');
    // A comment keeps the connection alive.
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    return undefined;
  }

  #dispatch(): ServerEvent | undefined {
    const data = this.#data.join('\n');
    const event = this.#event || 'message';
    const isEvent = this.#data.length > 0;
    this.#data = [];
    this.#event = '';
    this.#size = 0;
    if (!isEvent) return undefined;
    return this.#id === undefined ? { event, data } : { id: this.#id, event, data };
  }
}
