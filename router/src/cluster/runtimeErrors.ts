// SPDX-License-Identifier: Apache-2.0
import { KubeError } from '@agenttier/machinery/kube/errors';

/** No connection came about and nothing was sent: another way into the pod may be tried. */
export class RuntimeUnreachable extends Error {
  override readonly name = 'RuntimeUnreachable';
}

/** The connection broke after the request was sent: what was asked for may have happened. */
export class RuntimeLost extends Error {
  override readonly name = 'RuntimeLost';
}

/** The runtime answered, with a refusal. */
export class RuntimeRefused extends Error {
  override readonly name = 'RuntimeRefused';
  readonly status: number;

  constructor(status: number, body: unknown) {
    const text = (body as { error?: unknown } | undefined)?.error;
    super(typeof text === 'string' ? text : `the sandbox runtime answered ${status}`);
    this.status = status;
  }
}

/** Codes of failures before a connection existed; anything later may have reached the runtime. */
const CONNECT_CODES = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Was there never a connection? */
export function isConnectFault(error: unknown): boolean {
  if (error instanceof RuntimeUnreachable) return true;
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
  if (typeof code !== 'string' || !CONNECT_CODES.has(code)) return false;
  // ETIMEDOUT is also what a read reports when the peer vanished in the middle.
  return code !== 'ETIMEDOUT' || syscall === 'connect';
}

/** What a failed request comes to: the caller's own reason, what is worded already, or one of the two above. */
export function faultOf(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof KubeError || error instanceof RuntimeLost) return error;
  if (error instanceof RuntimeUnreachable) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (isConnectFault(error)) return new RuntimeUnreachable(text, { cause: error });
  return new RuntimeLost(text, { cause: error });
}
