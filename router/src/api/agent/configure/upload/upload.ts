// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { json } from 'node:stream/consumers';
import type { Target } from '../../../../cluster/target.ts';
import { refusals } from '../../../errors.ts';
import { ask } from '../../runtime.ts';
import type { AskRuntime } from '../../runtime.ts';

/** A content as the runtime keeps it until an installation brings it to its place. */
export interface StagedFile {
  readonly size: number;
  readonly sha256: string;
}

/** The sandbox cannot take a file: a fault of its volume, not of the request. */
export class StageFault extends Error {
  override readonly name = 'StageFault';
}

export interface UploadTarget {
  readonly runtime: AskRuntime;
  readonly target: Target;
  readonly signal: AbortSignal;
}

/** One content on its way into the sandbox; the runtime names it by its hash. */
export class Upload {
  readonly #body = new PassThrough();
  readonly #abort = new AbortController();
  readonly #answer: Promise<StagedFile>;

  constructor(target: UploadTarget, path: string | undefined) {
    this.#answer = this.#send(target, path);
    // Whoever writes on or ends it hears of a failure.
    this.#answer.catch(() => {});
  }

  /** Resolves when there is room for more. */
  async write(bytes: Buffer): Promise<void> {
    if (this.#body.write(bytes)) return;
    await Promise.race([once(this.#body, 'drain', { signal: this.#abort.signal }), this.#answer]);
  }

  async end(): Promise<StagedFile> {
    this.#body.end();
    return this.#answer;
  }

  /** Nothing is kept. */
  cancel(): void {
    this.#abort.abort(new Error('the upload is given up'));
    this.#body.destroy();
  }

  async #send({ runtime, target, signal }: UploadTarget, path: string | undefined): Promise<StagedFile> {
    const query = path === undefined ? '' : `?${new URLSearchParams({ path }).toString()}`;
    const answer = await ask(runtime, target, {
      method: 'POST',
      path: `/agent/files${query}`,
      headers: { 'content-type': 'application/octet-stream' },
      body: this.#body,
      signal: AbortSignal.any([signal, this.#abort.signal]),
    });
    const body = (await json(answer.stream)) as StagedFile & { readonly error?: string };
    if (answer.status === 201) return body;
    // A runtime from before this one does not know the path.
    if (answer.status === 404)
      throw refusals.transportLost('the runtime of this sandbox is too old: restart it');
    throw new StageFault(body.error ?? `the sandbox answered ${answer.status}`);
  }
}
