// SPDX-License-Identifier: Apache-2.0

const TRUNCATED = '\n[truncated]';

/** Keeps the first `limit` bytes of a stream and reads the rest away: a command that floods must still come to its end. */
export class Collector {
  readonly #limit: number;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #truncated = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get truncated(): boolean {
    return this.#truncated;
  }

  /** What was kept so far, as text; also usable while the stream is still open. */
  text(): string {
    const text = Buffer.concat(this.#chunks).toString('utf8');
    return this.#truncated ? text + TRUNCATED : text;
  }

  async read(stream: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of stream) this.#push(chunk);
  }

  #push(chunk: Uint8Array): void {
    const room = this.#limit - this.#size;
    if (chunk.length > room) this.#truncated = true;
    if (room <= 0) return;
    const kept = chunk.subarray(0, room);
    this.#chunks.push(kept);
    this.#size += kept.length;
  }
}
