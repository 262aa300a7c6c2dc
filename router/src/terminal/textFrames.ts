// SPDX-License-Identifier: Apache-2.0

import { encodeFrame } from '@agenttier/crds/wire/terminal';

/**
 * PTY bytes to JSON frames. Chunks end anywhere, also inside a character: the decoder keeps the unfinished bytes until
 * the next chunk, so that no character turns into U+FFFD at a border.
 */
export class OutputFrames {
  readonly #decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });
  #midway = false;

  /** Frame for a chunk; undefined while nothing but an unfinished character has arrived. */
  push(chunk: Uint8Array): string | undefined {
    const bytes = this.#midway ? withoutTail(chunk) : chunk;
    if (bytes.length > 0) this.#midway = false;
    return frameOf(this.#decoder.decode(bytes, { stream: true }));
  }

  /**
   * The stream goes on at another place, as a replay from the middle of what is kept does: what was unfinished stays so,
   * and the rest of a character whose beginning is gone is not shown.
   */
  restart(): void {
    this.#decoder.decode();
    this.#midway = true;
  }

  /** What is left when the stream ends. */
  end(): string | undefined {
    return frameOf(this.#decoder.decode());
  }
}

/** Without leading continuation bytes (10xxxxxx), of which a character has at most three. */
function withoutTail(chunk: Uint8Array): Uint8Array {
  let at = 0;
  while (at < 3 && at < chunk.length && ((chunk[at] ?? 0) & 0xc0) === 0x80) at++;
  return chunk.subarray(at);
}

const frameOf = (data: string): string | undefined =>
  data === '' ? undefined : encodeFrame({ type: 'output', stream: 'stdout', data });

const HIGH_SURROGATE_AT_END = /[\uD800-\uDBFF]$/;

/**
 * JSON input to PTY bytes. A client that cuts a paste by UTF-16 units may cut an emoji in two; encoded apart, each half
 * becomes U+FFFD, so a leading half waits for the frame that completes it.
 */
export class InputBytes {
  #held = '';

  push(data: string): Buffer {
    const text = this.#held + data;
    this.#held = HIGH_SURROGATE_AT_END.exec(text)?.[0] ?? '';
    return Buffer.from(this.#held === '' ? text : text.slice(0, -1), 'utf8');
  }
}
