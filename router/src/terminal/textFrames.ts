// SPDX-License-Identifier: Apache-2.0

/** Text frames of clients without the sub-protocol: one JSON object each, terminal bytes as a JSON string. */
export type ClientFrame =
  | { readonly type: 'input'; readonly data: string }
  | { readonly type: 'resize'; readonly cols: number; readonly rows: number }
  | { readonly type: 'ping' };

const MAX_SIDE = 65_535;

/** Reads a client's frame; undefined for anything malformed or unknown, which is skipped by the contract. */
export function parseClientFrame(text: string): ClientFrame | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const frame = value as Record<string, unknown>;
  if (frame['type'] === 'ping') return { type: 'ping' };
  if (frame['type'] === 'input') {
    return typeof frame['data'] === 'string' ? { type: 'input', data: frame['data'] } : undefined;
  }
  return frame['type'] === 'resize' ? resizeFrame(frame['cols'], frame['rows']) : undefined;
}

function resizeFrame(cols: unknown, rows: unknown): ClientFrame | undefined {
  if (typeof cols !== 'number' || typeof rows !== 'number') return undefined;
  return { type: 'resize', cols: clampSide(cols), rows: clampSide(rows) };
}

/** Terminal sides are unsigned 16-bit numbers in the kernel's winsize and at least 1. */
export function clampSide(value: number): number {
  if (!Number.isFinite(value)) return 1;
  return Math.min(MAX_SIDE, Math.max(1, Math.trunc(value)));
}

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
  data === '' ? undefined : JSON.stringify({ type: 'output', stream: 'stdout', data });

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
