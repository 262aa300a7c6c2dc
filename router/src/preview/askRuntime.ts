// SPDX-License-Identifier: Apache-2.0
import { json } from 'node:stream/consumers';
import { refusals } from '../api/errors.ts';
import type { RuntimeAnswer, RuntimeClient, RuntimeRequest } from '../cluster/runtimeClient.ts';
import { RuntimeLost, RuntimeUnreachable } from '../cluster/runtimeErrors.ts';
import type { Target } from '../cluster/target.ts';

type Runtime = Pick<RuntimeClient, 'request'>;

/** One JSON answer of the runtime. Throws the 502 when there is none. */
export async function askRuntime(
  runtime: Runtime,
  target: Target,
  path: string,
  signal: AbortSignal,
): Promise<unknown> {
  const { status, stream } = await reach(runtime, target, { method: 'GET', path, signal });
  const body = await json(stream).catch(() => undefined);
  if (status !== 200) throw refused(status, body);
  return body;
}

/** Sends a request to the runtime, whose failures become answers. */
export async function reach(
  runtime: Runtime,
  target: Target,
  request: RuntimeRequest,
): Promise<RuntimeAnswer> {
  try {
    return await runtime.request(target, request);
  } catch (error) {
    throw unreachable(error);
  }
}

/** A failure to reach the runtime as an answer; any other error as it is. */
export function unreachable(error: unknown): unknown {
  if (error instanceof RuntimeUnreachable) {
    return refusals.transportLost('the runtime of the sandbox cannot be reached');
  }
  return error instanceof RuntimeLost ? refusals.transportLost('the connection to the sandbox broke') : error;
}

/** The runtime's own refusal as an answer. A 404 is that of a runtime from before this was there. */
export function refused(status: number, body: unknown) {
  if (status === 404) {
    return refusals.transportLost(
      'the runtime of this sandbox is too old for this: stop and resume the sandbox',
    );
  }
  const { error } = (body ?? {}) as { error?: unknown };
  return refusals.transportLost(
    `the sandbox refused: ${typeof error === 'string' ? error : `its runtime answered ${status}`}`,
  );
}
