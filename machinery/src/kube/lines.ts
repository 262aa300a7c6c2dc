// SPDX-License-Identifier: Apache-2.0

const NEWLINE = 0x0a;

/**
 * Complete lines of a byte stream. Cut at the byte, then decoded, so a character split over two chunks stays whole.
 * What follows the last newline is dropped: a watch that is cut in the middle of an event has not delivered it.
 */
export async function* lines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      rest.push(chunk.subarray(start, end));
      const line = (rest.length === 1 ? (rest[0] ?? chunk) : Buffer.concat(rest)).toString('utf8');
      rest = [];
      start = end + 1;
      if (line.trim() !== '') yield line;
    }
    if (start < chunk.length) rest.push(chunk.subarray(start));
  }
}
