// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import { MAX_AGENT_FILE, MAX_AGENT_FILES } from '@agenttier/crds/sandbox/agentConfig';
import { refusals } from '../../../errors.ts';
import { Base64 } from './base64.ts';
import { BodyScanner } from './scanner.ts';
import type { Encoding, Part } from './scanner.ts';
import { StageFault, Upload } from './upload.ts';
import type { StagedFile, UploadTarget } from './upload.ts';

export const MAX_FILES = 200;

export interface Received {
  /** The body; the content of a file is the number of it in `staged`, as a string. */
  readonly body: unknown;
  readonly staged: readonly StagedFile[];
  /** Why the sandbox could not take the files; the rest of the body was read all the same. */
  readonly fault: string | undefined;
}

/** Reads the body of a configuration, and brings each content into the sandbox while it comes. */
export async function receive(source: Readable, target: UploadTarget): Promise<Received> {
  const scanner = new BodyScanner();
  const files = new Files(target);
  try {
    // Left as it is at a refusal: the connection still has to carry the answer.
    for await (const piece of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      for (const part of scanner.push(piece)) await files.take(part);
    }
    return { body: scanner.end(), staged: files.staged, fault: files.fault };
  } finally {
    files.close();
  }
}

class Files {
  readonly staged: StagedFile[] = [];
  fault: string | undefined;
  readonly #target: UploadTarget;
  #file: { readonly upload: Upload | undefined; readonly base64: Base64 | undefined } | undefined;
  #size = 0;
  #total = 0;

  constructor(target: UploadTarget) {
    this.#target = target;
  }

  async take(part: Part): Promise<void> {
    if (part.part === 'begin') this.#begin(part.encoding, part.path);
    else if (part.part === 'bytes') await this.#bytes(part.bytes);
    else await this.#end();
  }

  close(): void {
    this.#file?.upload?.cancel();
  }

  #begin(encoding: Encoding, path: string | undefined): void {
    if (this.staged.length >= MAX_FILES) throw refusals.tooManyFiles(MAX_FILES);
    const known = path?.startsWith('/') ? path : undefined;
    const upload = this.fault === undefined ? new Upload(this.#target, known) : undefined;
    this.#file = { upload, base64: encoding === 'contentBase64' ? new Base64() : undefined };
    this.#size = 0;
  }

  async #bytes(given: Buffer): Promise<void> {
    const { upload, base64 } = this.#file ?? {};
    const bytes = base64 === undefined ? given : base64.push(given);
    if (bytes === undefined) throw this.#noBase64();
    this.#size += bytes.length;
    this.#total += bytes.length;
    if (this.#size > MAX_AGENT_FILE) throw refusals.filesTooLarge('a file', MAX_AGENT_FILE);
    if (this.#total > MAX_AGENT_FILES) throw refusals.filesTooLarge('the files', MAX_AGENT_FILES);
    await this.#orFault(async () => upload?.write(bytes));
  }

  async #end(): Promise<void> {
    const { upload, base64 } = this.#file ?? {};
    if (base64 && !base64.isComplete()) throw this.#noBase64();
    const staged = await this.#orFault(async () => upload?.end());
    this.#file = undefined;
    this.staged.push(staged ?? { size: this.#size, sha256: '' });
  }

  #noBase64() {
    const field = `files[${this.staged.length}].contentBase64`;
    return refusals.invalidFields([{ field, message: 'must be base64 with padding' }]);
  }

  /** What is wrong with the request is still to be found, so the body is read to its end. */
  async #orFault<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.fault !== undefined) return undefined;
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StageFault)) throw error;
      this.fault = error.message;
      return undefined;
    }
  }
}
