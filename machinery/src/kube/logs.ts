// SPDX-License-Identifier: Apache-2.0
import type { ClusterAccess } from './access.ts';
import { Transport } from './transport.ts';
import { pathOf, PODS } from './resource.ts';

export interface LogOptions {
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string | undefined;
  /** Stay and hand over what is written from now on, too. */
  readonly follow?: boolean | undefined;
  /** Of the container that ran before this one in the same pod. */
  readonly previous?: boolean | undefined;
  readonly timestamps?: boolean | undefined;
  readonly tailLines?: number | undefined;
  readonly sinceSeconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly userAgent?: string | undefined;
}

/** The log of a container, as it comes. Rejects with KubeError, needs `get` on pods/log. */
export async function* podLog(access: ClusterAccess, options: LogOptions): AsyncGenerator<Buffer> {
  const { namespace, pod, signal, userAgent: _, ...query } = options;
  const transport = new Transport(access, { userAgent: options.userAgent });
  try {
    const path = pathOf(PODS, { namespace, name: pod }, 'log');
    // A program may be silent for as long as it likes: only the connection's own end is one.
    const call = { method: 'GET', path, query, headers: { accept: '*/*' } };
    yield* await transport.stream(call, { signal, idleMs: 0 });
  } finally {
    await transport.close();
  }
}
