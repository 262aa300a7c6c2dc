// SPDX-License-Identifier: Apache-2.0

/**
 * - `more`: what is there is the beginning of a ClientHello.
 * - `name`: a complete one; the server name that it asks for, as it was sent.
 * - `nameless`: a complete one that asks for no name.
 * - `invalid`: no ClientHello, or one that two readers could read in two ways.
 */
export type Peeked =
  | { readonly kind: 'more' | 'nameless' }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'invalid'; readonly reason: string };

/** No real one is longer: with post-quantum keys and many extensions they take some 2 KiB. */
export const MAX_HELLO = 16_384;

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;

class Malformed extends Error {}

/** Reads the first bytes of a TLS connection (RFC 8446 section 4.1.2, RFC 6066 section 3). Never throws. */
export function peekClientHello(bytes: Buffer): Peeked {
  try {
    const message = handshakeMessage(bytes);
    return message === undefined ? { kind: 'more' } : readHello(new Reader(message));
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'invalid', reason: error.message };
    throw error;
  }
}

/** The body of the first handshake message, put together from its records; undefined while a part is missing. */
function handshakeMessage(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  let have = 0;
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== HANDSHAKE) throw new Malformed('not TLS');
    if (at + 5 > bytes.length) return undefined;
    if (bytes[at + 1] !== 3) throw new Malformed('not TLS');
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > MAX_HELLO) throw new Malformed('a record of impossible length');
    const fragment = bytes.subarray(at + 5, at + 5 + length);
    parts.push(fragment);
    have += fragment.length;
    at += 5 + length;
    const wanted = messageLength(parts, have);
    if (wanted !== undefined && have >= wanted) return exactly(Buffer.concat(parts), wanted);
  }
  return undefined;
}

/** Length of header and body; undefined while the header is not complete. */
function messageLength(parts: readonly Buffer[], have: number): number | undefined {
  if (have < 4) return undefined;
  const header = Buffer.concat(parts, Math.min(have, 4));
  if (header[0] !== CLIENT_HELLO) throw new Malformed('no ClientHello');
  const length = 4 + header.readUIntBE(1, 3);
  if (length > MAX_HELLO) throw new Malformed('a ClientHello of impossible length');
  return length;
}

/** A client has nothing to say behind its ClientHello before it is answered. */
function exactly(message: Buffer, length: number): Buffer {
  if (message.length !== length) throw new Malformed('more than a ClientHello in its record');
  return message.subarray(4);
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Buffer {
    if (length > this.left) throw new Malformed('a length beyond the end');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(width: 1 | 2): number {
    return this.take(width).readUIntBE(0, width);
  }

  /** A field behind its own length. */
  vector(width: 1 | 2): Reader {
    return new Reader(this.take(this.number(width)));
  }

  end(): void {
    if (this.left > 0) throw new Malformed('bytes behind the end');
  }

  text(): string {
    return this.take(this.left).toString('latin1');
  }
}

function readHello(hello: Reader): Peeked {
  hello.take(2 + 32); // version, random
  hello.vector(1); // session
  hello.vector(2); // cipher suites
  hello.vector(1); // compression
  if (hello.left === 0) return { kind: 'nameless' };
  const extensions = hello.vector(2);
  hello.end();
  const seen = new Set<number>();
  let name: string | undefined;
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const body = extensions.vector(2);
    // Two of a kind, and two readers may each take another one.
    if (seen.has(type)) throw new Malformed('an extension twice');
    seen.add(type);
    if (type === SERVER_NAME) name = serverName(body);
  }
  return name === undefined ? { kind: 'nameless' } : { kind: 'name', name };
}

/** The list may hold one name only: host_name is the one type there is. */
function serverName(body: Reader): string {
  const list = body.vector(2);
  body.end();
  if (list.number(1) !== 0) throw new Malformed('a server name of unknown type');
  const name = list.vector(2).text();
  list.end();
  return name;
}
