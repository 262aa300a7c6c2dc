// SPDX-License-Identifier: Apache-2.0
import { refusals } from '../../../errors.ts';
import { StringBytes } from './stringBytes.ts';

/** How the text of a file stands in the body. */
export type Encoding = 'content' | 'contentBase64';

/** What a piece of the body brought of the files in it. */
export type Part =
  | { readonly part: 'begin'; readonly encoding: Encoding; readonly path: string | undefined }
  | { readonly part: 'bytes'; readonly bytes: Buffer }
  | { readonly part: 'end' };

/** All of the body but the contents of files: names, paths and commands. */
const MAX_REST = 1024 * 1024;

const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN = 0x7b;
const BACKSLASH = 0x5c;
const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Reads a JSON body of files piece by piece: contents of up to 128 MiB would be several times that in memory, and more
 * than a replica has. Each string under `content` or `contentBase64` is handed out while it comes and stands in the rest as
 * its number, so that the rest is a small JSON text which any parser judges.
 */
export class BodyScanner {
  readonly #rest: Buffer[] = [];
  #restSize = 0;
  #count = 0;
  #state: 'outside' | 'string' | 'content' = 'outside';
  /** A value comes next, of the member named so. */
  #member: string | undefined;
  #path: string | undefined;
  /** Of the string that is being read, or was read last: its JSON text. */
  #string: Buffer[] = [];
  #isEscaped = false;
  #content = new StringBytes();

  /** Throws HttpError 400 or 413 for what is no such body. */
  *push(piece: Buffer): Generator<Part> {
    for (let at = 0; at < piece.length; ) {
      if (this.#state === 'outside') at = yield* this.#outside(piece, at);
      else if (this.#state === 'string') at = this.#inString(piece, at);
      else at = yield* this.#inContent(piece, at);
    }
  }

  /** What is left of the body when everything was pushed: a content is the number of its file, from 0, as a string. */
  end(): unknown {
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(this.#rest));
      return JSON.parse(text) as unknown;
    } catch {
      throw refusals.badRequest('the request body is not valid JSON');
    }
  }

  *#outside(piece: Buffer, from: number): Generator<Part, number> {
    for (let at = from; at < piece.length; at++) {
      const byte = piece[at] ?? 0;
      if (byte === QUOTE) {
        this.#keep(piece.subarray(from, at + 1));
        yield* this.#open();
        return at + 1;
      }
      if (byte === COLON) this.#member = this.#text();
      else if (!SPACES.has(byte)) this.#member = undefined;
      if (byte === OPEN) this.#path = undefined;
    }
    this.#keep(piece.subarray(from));
    return piece.length;
  }

  *#open(): Generator<Part> {
    this.#string = [];
    const member = this.#member;
    if (member !== 'content' && member !== 'contentBase64') {
      this.#state = 'string';
      return;
    }
    this.#state = 'content';
    this.#content = new StringBytes();
    yield { part: 'begin', encoding: member, path: this.#path };
  }

  #inString(piece: Buffer, from: number): number {
    let at = from;
    for (; at < piece.length; at++) {
      const byte = piece[at];
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) break;
    }
    this.#string.push(piece.subarray(from, at));
    if (at < piece.length) this.#close();
    this.#keep(piece.subarray(from, at + 1));
    return at + 1;
  }

  #close(): void {
    this.#state = 'outside';
    if (this.#member === 'path') this.#path = this.#text();
    this.#member = undefined;
  }

  *#inContent(piece: Buffer, from: number): Generator<Part, number> {
    const { bytes, next, isOver } = this.#content.push(piece, from);
    if (bytes.length > 0) yield { part: 'bytes', bytes };
    if (isOver) {
      this.#keep(Buffer.from(`${this.#count}"`));
      this.#count++;
      this.#member = undefined;
      this.#state = 'outside';
      yield { part: 'end' };
    }
    return next;
  }

  /** The string that was read last; undefined when it is none. */
  #text(): string | undefined {
    try {
      return JSON.parse(`"${Buffer.concat(this.#string).toString()}"`) as string;
    } catch {
      return undefined;
    }
  }

  #keep(bytes: Buffer): void {
    this.#restSize += bytes.length;
    if (this.#restSize > MAX_REST) throw refusals.tooLarge(MAX_REST);
    // A copy: the piece is a part of a much larger buffer.
    if (bytes.length > 0) this.#rest.push(Buffer.from(bytes));
  }
}
