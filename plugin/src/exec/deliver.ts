// SPDX-License-Identifier: Apache-2.0
import type { Readable, Writable } from 'node:stream';
import { write } from '../context/host.ts';

/** Copies everything from one stream to another at the pace of the slower one, and leaves the target open. */
export async function deliver(from: Readable, to: Writable): Promise<void> {
  for await (const chunk of from) await write(to, chunk as Uint8Array);
}
