// SPDX-License-Identifier: Apache-2.0
import { tokenSubject } from '@agenttier/crds/meta/names';
import { deriveToken } from '@agenttier/machinery/secrets/derive';
import type { Pod } from '../core.ts';
import { RUNTIME_PORT } from '@agenttier/crds/sandbox/ports';
import { nonceIn } from '../sandbox/tokenSecret.ts';

/** Where the runtime of one pod listens, and what it lets in. Never logged: it holds the token. */
export interface RuntimeAddress {
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

/**
 * The runtime in the pod of the Sandbox with this uid. Undefined while the pod has no address, and for a pod without a
 * nonce, which is none of ours. The pod's nonce counts, as it does for the router: the token Secret may be a start ahead.
 */
export function runtimeOf(pod: Pod, sandboxUid: string, tokenKey: Uint8Array): RuntimeAddress | undefined {
  const host = pod.status?.podIP;
  const nonce = nonceIn(pod);
  if (!host || nonce === undefined) return undefined;
  return { host, port: RUNTIME_PORT, token: deriveToken(tokenKey, tokenSubject(sandboxUid, nonce)) };
}
