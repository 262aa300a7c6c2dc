// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { refusals } from '../api/errors.ts';
import { roleOn } from '../auth/authorize.ts';
import type { Principal } from '../auth/principal.ts';
import { take } from '../ratelimit/bucket.ts';
import type { BucketState } from '../ratelimit/bucket.ts';
import type { Stores } from './caches.ts';
import { findSandbox } from './lookup.ts';
import type { Found, SandboxQuery } from './lookup.ts';

export interface FinderOptions {
  readonly client: Pick<KubeClient, 'get'>;
  readonly sandboxes: Stores['sandboxes'];
  readonly defaultNamespace: string;
  readonly now?: () => number;
}

/** Reads of the API server for names that the cache does not know: enough for people, a trickle for a scanner. */
const LIVE_READS = { perSecond: 20, burst: 100 } as const;
const LIVE_TIMEOUT_MS = 3_000;

/**
 * Finds the sandbox of a request: in the watch cache, and for a name that is not there with one read of the API server.
 * Whoever created a sandbox through one replica asks for it through another a millisecond later, before that one's
 * watch has told it; a 404 would then be wrong. What was read is not kept: the watch brings it in a moment.
 */
export class SandboxFinder {
  readonly #options: FinderOptions;
  #reads: BucketState | undefined;

  constructor(options: FinderOptions) {
    this.#options = options;
  }

  /** The sandbox that the caller may see. Throws the 404, the 409 of a name that is not unique, or KubeError. */
  async find(query: SandboxQuery, principal: Principal): Promise<Found> {
    const { sandboxes, defaultNamespace } = this.#options;
    const found =
      findSandbox(sandboxes, query, principal, defaultNamespace) ?? (await this.#live(query, principal));
    if (found === undefined) throw refusals.sandboxNotFound(query.id);
    return found;
  }

  async #live(query: SandboxQuery, principal: Principal): Promise<Found | undefined> {
    const { client, sandboxes, defaultNamespace, now = Date.now } = this.#options;
    const key = { namespace: query.namespace || defaultNamespace, name: query.id };
    // Known to the cache and still not found means: not this caller's. A read would not change that.
    if (sandboxes.get(key.namespace, key.name) !== undefined) return undefined;
    const turn = take(this.#reads, now(), LIVE_READS);
    this.#reads = turn.state;
    if (!turn.allowed) return undefined;
    try {
      const sandbox = await client.get<Sandbox & KubeObject>(SANDBOXES, key, { timeoutMs: LIVE_TIMEOUT_MS });
      const role = roleOn(principal, sandbox);
      return role === undefined ? undefined : { sandbox, role };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
