// SPDX-License-Identifier: Apache-2.0
import { json } from 'node:stream/consumers';
import { refusals } from '../api/errors.ts';
import type { RuntimeClient, RuntimeRequest } from '../cluster/runtimeClient.ts';
import { RuntimeLost, RuntimeUnreachable } from '../cluster/runtimeErrors.ts';
import type { RuntimeAddress, Target } from '../cluster/target.ts';

type Runtime = Pick<RuntimeClient, 'request'>;

/** The way to the runtime; there is no other for what only it can do. Throws the 502. */
export function addressOf({ runtime, reason }: Target): RuntimeAddress {
  if (runtime) return runtime;
  throw refusals.transportLost(`the runtime of the sandbox cannot be reached: ${reason ?? 'no_address'}`);
}

/** One JSON answer of the runtime. Throws the 502 when there is none. */
export async function askRuntime(
  runtime: Runtime,
  target: Target,
  path: string,
  signal: AbortSignal,
): Promise<unknown> {
  const { status, stream } = await reach(runtime, addressOf(target), { method: 'GET', path, signal });
  const body = await json(stream).catch(() => undefined);
  if (status !== 200) throw refused(status, body);
  return body;
}

/** Sends a request to the runtime, whose failures become answers. */
export async function reach(runtime: Runtime, address: RuntimeAddress, request: RuntimeRequest) {
  try {
    return await runtime.request(address, request);
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
