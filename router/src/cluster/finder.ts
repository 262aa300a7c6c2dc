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

  /**
   * The sandbox as the API server has it now, for a refusal that would otherwise rest on a cache which another replica's
   * write has not reached yet; what was found already, while no read is left or none succeeds.
   */
  async reread(sandbox: Sandbox): Promise<Sandbox> {
    const { namespace, name = '', uid } = sandbox.metadata;
    if (!this.#mayRead()) return sandbox;
    const live = await this.#read({ namespace, name }).catch(() => undefined);
    return live !== undefined && live.metadata.uid === uid ? live : sandbox;
  }

  async #live(query: SandboxQuery, principal: Principal): Promise<Found | undefined> {
    const { sandboxes, defaultNamespace } = this.#options;
    const key = { namespace: query.namespace || defaultNamespace, name: query.id };
    // Known to the cache and still not found means: not this caller's. A read would not change that.
    if (sandboxes.get(key.namespace, key.name) !== undefined) return undefined;
    if (!this.#mayRead()) return undefined;
    try {
      const sandbox = await this.#read(key);
      const role = roleOn(principal, sandbox);
      return role === undefined ? undefined : { sandbox, role };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #mayRead(): boolean {
    const turn = take(this.#reads, (this.#options.now ?? Date.now)(), LIVE_READS);
    this.#reads = turn.state;
    return turn.allowed;
  }

  #read(key: { namespace?: string | undefined; name: string }): Promise<Sandbox & KubeObject> {
    return this.#options.client.get<Sandbox & KubeObject>(SANDBOXES, key, { timeoutMs: LIVE_TIMEOUT_MS });
  }
}
