// SPDX-License-Identifier: Apache-2.0
import { LRUCache } from 'lru-cache';
import { apiKeySecretName } from '@agenttier/crds/wire/apiKey';
import { isNotFound } from '@agenttier/machinery/kube/errors';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { SECRETS } from '@agenttier/machinery/kube/resource';
import type { Store } from '@agenttier/machinery/reflector/store';
import type { Secret } from '../cluster/shapes.ts';
import { take } from '../ratelimit/bucket.ts';
import type { BucketState } from '../ratelimit/bucket.ts';
import { hashKey, isExpired, looksLikeKey, readKeySecret, sameHash } from './keyRecord.ts';
import type { KeyRecord } from './keyRecord.ts';
import { namespacesOf } from './namespaces.ts';
import type { GroupNamespaces } from './namespaces.ts';
import type { Principal } from './principal.ts';

const CACHED_KEYS = 1024;
const CACHED_MS = 5 * 60_000;

/**
 * A key minted a moment ago may be ahead of the watch, so an unknown one is looked up live. Anybody can send unknown
 * keys, so those reads are few: beyond them an unknown key is simply unknown.
 */
const LIVE_LOOKUPS = { perSecond: 10, burst: 20 };

export interface ApiKeysOptions {
  readonly client: Pick<KubeClient, 'get'>;
  /** Secrets of `namespace` labelled as API keys, kept current by a reflector. */
  readonly secrets: Store<Secret>;
  readonly namespace: string;
  readonly groupNamespaces?: GroupNamespaces;
  readonly now?: () => number;
}

/** Checks API keys against the hashed ones stored as Secrets. */
export class ApiKeys {
  readonly #options: ApiKeysOptions;
  readonly #now: () => number;
  readonly #records: LRUCache<string, KeyRecord>;
  #lookups: BucketState | undefined;

  constructor(options: ApiKeysOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#records = new LRUCache({ max: CACHED_KEYS, ttl: CACHED_MS });
    // A revoked or changed key is forgotten on every replica as soon as the watch says so, not when its time is up.
    options.secrets.subscribe(({ object }) => this.#records.delete(object.metadata.name ?? ''));
  }

  /** Whom the key speaks for; undefined when it is unknown, revoked, expired or malformed. Throws KubeError. */
  async authenticate(key: string): Promise<Principal | undefined> {
    if (!looksLikeKey(key)) return undefined;
    const hash = hashKey(key);
    const name = apiKeySecretName(hash);
    const record = this.#records.get(name) ?? this.#fromStore(name) ?? (await this.#fromServer(name));
    if (!record || !sameHash(record.keyHash, hash) || isExpired(record, this.#now())) return undefined;
    return this.#limited(record.principal);
  }

  /** What groups open may have changed since the key was made; a key from before there was a mapping opens nothing. */
  #limited(principal: Principal): Principal {
    const { groupNamespaces = {} } = this.#options;
    if (principal.isAdmin) return principal;
    const namespaces = namespacesOf(principal.key?.groups ?? [], groupNamespaces);
    return namespaces === undefined ? principal : { ...principal, namespaces };
  }

  #fromStore(name: string): KeyRecord | undefined {
    const secret = this.#options.secrets.get(this.#options.namespace, name);
    const record = secret ? readKeySecret(secret) : undefined;
    if (record) this.#records.set(name, record);
    return record;
  }

  /** Not cached: only what the watch follows may be, or a revocation in between would go unnoticed. */
  async #fromServer(name: string): Promise<KeyRecord | undefined> {
    const turn = take(this.#lookups, this.#now(), LIVE_LOOKUPS);
    this.#lookups = turn.state;
    if (!turn.allowed) return undefined;
    const { client, namespace } = this.#options;
    try {
      return readKeySecret(await client.get<Secret>(SECRETS, { namespace, name }, { timeoutMs: 3000 }));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
