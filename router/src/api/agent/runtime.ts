// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import type { RuntimeAnswer, RuntimeClient, RuntimeRequest } from '../../cluster/runtimeClient.ts';
import { RuntimeLost, RuntimeUnreachable } from '../../cluster/runtimeErrors.ts';
import type { Target } from '../../cluster/target.ts';
import { HttpError, refusals } from '../errors.ts';

export type AskRuntime = Pick<RuntimeClient, 'request'>;

/** Who asks, and whether for a sandbox of theirs: by it the runtime knows who may cancel what. */
export const ACTOR_HEADER = 'x-agenttier-actor';
export const ADMIN_HEADER = 'x-agenttier-admin';

/** Asks the runtime; a connection that does not come about or breaks is the 502 that says so. */
export async function ask(
  runtime: AskRuntime,
  target: Target,
  request: RuntimeRequest,
): Promise<RuntimeAnswer> {
  try {
    return await runtime.request(target, request);
  } catch (error) {
    if (error instanceof RuntimeUnreachable) {
      throw refusals.transportLost('the runtime of the sandbox cannot be reached; try again');
    }
    if (error instanceof RuntimeLost) throw refusals.transportLost('the connection to the sandbox broke');
    throw error;
  }
}

interface Refusal {
  readonly error?: unknown;
  readonly message?: unknown;
  readonly limit?: unknown;
  readonly inflight?: unknown;
}

/** What the runtime has against it, in the words of the contract. Reads the answer to its end. */
export async function refusalOf({ status, stream }: RuntimeAnswer): Promise<HttpError> {
  const body = await bodyOf(stream);
  const text = typeof body.error === 'string' ? body.error : `the sandbox answered ${status}`;
  if (status === 429) return refusals.tooManyInvocations(Number(body.limit), Number(body.inflight));
  if (status === 413) return refusals.tooLarge(MAX_INPUT);
  if (status === 503) return new HttpError(503, { error: text }, { 'Retry-After': '5' });
  if ([400, 403, 404, 409, 424].includes(status)) return new HttpError(status, { error: text });
  return refusals.transportLost(`the sandbox refused: ${text}`);
}

/** Lets go of an answer that is not wanted. That its stream then fails is heard by whoever made the request. */
export function drop({ stream }: RuntimeAnswer): void {
  stream.destroy();
}

/** Input of one invocation. */
export const MAX_INPUT = 16 * 1024 * 1024;

async function bodyOf(stream: Readable): Promise<Refusal> {
  const value: unknown = await json(stream).catch(() => undefined);
  return typeof value === 'object' && value !== null ? value : {};
}
