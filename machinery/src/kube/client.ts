// SPDX-License-Identifier: Apache-2.0
import type { ClusterAccess } from './access.ts';
import { isExpired, networkError } from './errors.ts';
import type { Impersonation } from './impersonation.ts';
import { lines } from './lines.ts';
import { apiVersionOf, pathOf } from './resource.ts';
import type { KubeObject, ObjectKey, Resource } from './resource.ts';
import { Transport } from './transport.ts';
import type { Answer, Call, TransportOptions } from './transport.ts';
import { parseWatchLine } from './watch.ts';
import type { WatchEvent } from './watch.ts';

export type { ClusterAccess } from './access.ts';
export type { Impersonation } from './impersonation.ts';
export type { WatchEvent } from './watch.ts';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly impersonate?: Impersonation | undefined;
  /** Full admission, nothing stored. The answer must never be fed to `Store.applyLocal`. */
  readonly dryRun?: boolean | undefined;
  /** For the whole call with its repetitions; default 30 000. */
  readonly timeoutMs?: number | undefined;
  /** Receives each admission or deprecation warning of the answer. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

export interface WriteOptions extends CallOptions {
  readonly fieldManager?: string | undefined;
  /** `Strict` makes unknown and duplicate fields an error, `Warn` a warning. */
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict' | undefined;
}

export interface SubresourceOptions extends WriteOptions {
  readonly subresource?: string | undefined;
}

export interface ApplyOptions extends SubresourceOptions {
  readonly fieldManager: string;
  /** Take fields over from other managers instead of failing with a conflict. */
  readonly force?: boolean | undefined;
}

export interface DeleteOptions extends CallOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan' | undefined;
}

export interface ListQuery {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** At most so many items; default all. */
  readonly limit?: number | undefined;
}

export interface ListResult<T> {
  readonly items: T[];
  readonly resourceVersion: string;
}

export interface WatchQuery {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion?: string | undefined;
  /** Ask for the present state as ADDED events first, ended by an annotated BOOKMARK (streaming list). */
  readonly sendInitialEvents?: boolean | undefined;
  readonly timeoutSeconds?: number | undefined;
}

export interface WatchControl extends Pick<CallOptions, 'signal' | 'impersonate' | 'timeoutMs'> {
  /** Silence after which the connection counts as dead; default 150 000 (bookmarks come about once a minute). */
  readonly idleMs?: number | undefined;
}

export interface Patch {
  readonly type: 'merge' | 'json' | 'strategic';
  readonly body: unknown;
}

export interface RawRequest {
  readonly method: string;
  /** Path with its query, for instance `/version`. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | string[]>> | undefined;
}

/**
 * The API server, generic by Resource, plain JSON in and out. Every method rejects with KubeError, or with the reason
 * of `signal` once that aborts. Reads, replaces, deletes, applies and merge patches are repeated on 429, 503 and a cut
 * socket (at most 4 tries); creates and JSON patches are sent once.
 */
export interface KubeClient {
  get<T extends KubeObject>(resource: Resource, key: ObjectKey, options?: CallOptions): Promise<T>;
  /** The whole collection, read in pages of 500. Items carry apiVersion and kind, which the wire leaves out. */
  list<T extends KubeObject>(
    resource: Resource,
    query?: ListQuery,
    options?: CallOptions,
  ): Promise<ListResult<T>>;
  create<T extends KubeObject>(
    resource: Resource,
    namespace: string | undefined,
    body: T,
    options?: WriteOptions,
  ): Promise<T>;
  /** Replaces the object; with `metadata.resourceVersion` in the body a concurrent write makes it fail with 409. */
  update<T extends KubeObject>(resource: Resource, body: T, options?: SubresourceOptions): Promise<T>;
  /** Server-side apply: `body` holds exactly the fields that the manager wants to own. */
  apply<T extends KubeObject>(resource: Resource, body: T, options: ApplyOptions): Promise<T>;
  patch<T extends KubeObject>(
    resource: Resource,
    key: ObjectKey,
    patch: Patch,
    options?: SubresourceOptions,
  ): Promise<T>;
  /** Rejects with 404 when there is nothing to delete: whether that is fine is the caller's to say. */
  delete(resource: Resource, key: ObjectKey, options?: DeleteOptions): Promise<void>;
  watch<T extends KubeObject>(
    resource: Resource,
    query: WatchQuery,
    control?: WatchControl,
  ): AsyncIterable<WatchEvent<T>>;
  /** Any other path. Throws KubeError for codes of 400 and up. */
  raw(request: RawRequest, options?: CallOptions): Promise<Answer>;
  /** Drops all sockets. For programs that end and for tests. */
  close(): Promise<void>;
}

const PAGE = 500;
const DEFAULT_IDLE_MS = 150_000;

const PATCH_TYPES: Readonly<Record<Patch['type'], string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

export function createKubeClient(access: ClusterAccess, options: TransportOptions = {}): KubeClient {
  return new RestClient(new Transport(access, options));
}

class RestClient implements KubeClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  async get<T extends KubeObject>(resource: Resource, key: ObjectKey, options: CallOptions = {}): Promise<T> {
    return this.#object<T>({ method: 'GET', path: pathOf(resource, named(resource, key)) }, options);
  }

  async list<T extends KubeObject>(
    resource: Resource,
    query: ListQuery = {},
    options: CallOptions = {},
  ): Promise<ListResult<T>> {
    try {
      return await this.#pages<T>(resource, query, options, Math.min(PAGE, query.limit ?? PAGE));
    } catch (error) {
      // The continue token outlived etcd's compaction between two pages: one unpaged read is always consistent.
      if (!isExpired(error)) throw error;
      return this.#pages<T>(resource, query, options, query.limit);
    }
  }

  async create<T extends KubeObject>(
    resource: Resource,
    namespace: string | undefined,
    body: T,
    options: WriteOptions = {},
  ): Promise<T> {
    return this.#object<T>(
      {
        method: 'POST',
        path: pathOf(resource, { namespace }),
        query: writeQuery(options),
        body: typed(resource, body),
      },
      options,
    );
  }

  async update<T extends KubeObject>(
    resource: Resource,
    body: T,
    options: SubresourceOptions = {},
  ): Promise<T> {
    const path = pathOf(resource, named(resource, keyOf(body)), options.subresource);
    return this.#object<T>(
      { method: 'PUT', path, query: writeQuery(options), body: typed(resource, body) },
      options,
    );
  }

  async apply<T extends KubeObject>(resource: Resource, body: T, options: ApplyOptions): Promise<T> {
    return this.#object<T>(
      {
        method: 'PATCH',
        path: pathOf(resource, named(resource, keyOf(body)), options.subresource),
        query: { ...writeQuery(options), force: options.force },
        body: typed(resource, body),
        // JSON is YAML: the API server takes it under the only media type that says "apply" before 1.32.
        contentType: 'application/apply-patch+yaml',
        idempotent: true,
      },
      options,
    );
  }

  async patch<T extends KubeObject>(
    resource: Resource,
    key: ObjectKey,
    patch: Patch,
    options: SubresourceOptions = {},
  ): Promise<T> {
    return this.#object<T>(
      {
        method: 'PATCH',
        path: pathOf(resource, named(resource, key), options.subresource),
        query: writeQuery(options),
        body: JSON.stringify(patch.body),
        contentType: PATCH_TYPES[patch.type],
        idempotent: patch.type === 'merge',
      },
      options,
    );
  }

  async delete(resource: Resource, key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    const { preconditions, gracePeriodSeconds, propagationPolicy } = options;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions,
      gracePeriodSeconds,
      propagationPolicy,
      ...(options.dryRun ? { dryRun: ['All'] } : {}),
    };
    await this.#transport.call(
      { method: 'DELETE', path: pathOf(resource, named(resource, key)), body },
      options,
    );
  }

  async *watch<T extends KubeObject>(
    resource: Resource,
    query: WatchQuery,
    control: WatchControl = {},
  ): AsyncGenerator<WatchEvent<T>> {
    const call = { method: 'GET', path: pathOf(resource, query), query: watchQuery(query) };
    const chunks = await this.#transport.stream(call, {
      ...control,
      idleMs: control.idleMs ?? DEFAULT_IDLE_MS,
    });
    try {
      for await (const line of lines(chunks)) yield parseWatchLine<T>(line);
    } catch (error) {
      control.signal?.throwIfAborted();
      const text = error instanceof Error ? error.message : String(error);
      throw networkError(`watch of ${resource.plural} cut: ${text}`, error);
    }
  }

  async raw(request: RawRequest, options: CallOptions = {}): Promise<Answer> {
    return this.#transport.call(
      { ...request, query: options.dryRun ? { dryRun: 'All' } : undefined },
      options,
    );
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #object<T>(call: Call, options: CallOptions): Promise<T> {
    const answer = await this.#transport.call(call, options);
    if (typeof answer.body !== 'object' || answer.body === null) {
      throw networkError(`${call.method} ${call.path}: the answer is not a JSON object`);
    }
    return answer.body as T;
  }

  async #pages<T extends KubeObject>(
    resource: Resource,
    query: ListQuery,
    options: CallOptions,
    page: number | undefined,
  ): Promise<ListResult<T>> {
    const { namespace, labelSelector, fieldSelector, limit = Number.POSITIVE_INFINITY } = query;
    const items: T[] = [];
    let next: string | undefined;
    let resourceVersion = '';
    do {
      const selection = { labelSelector, fieldSelector, limit: page, continue: next };
      const path = pathOf(resource, { namespace });
      const list = await this.#object<WireList<T>>({ method: 'GET', path, query: selection }, options);
      for (const item of list.items ?? []) items.push(typed(resource, item));
      resourceVersion = list.metadata?.resourceVersion ?? '';
      next = list.metadata?.continue;
    } while (next && items.length < limit);
    return { items: items.length > limit ? items.slice(0, limit) : items, resourceVersion };
  }
}

interface WireList<T> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: T[] | null;
}

function writeQuery(options: WriteOptions): Record<string, string | undefined> {
  return {
    dryRun: options.dryRun ? 'All' : undefined,
    fieldManager: options.fieldManager,
    fieldValidation: options.fieldValidation,
  };
}

function watchQuery(query: WatchQuery): Call['query'] {
  return {
    watch: true,
    allowWatchBookmarks: true,
    labelSelector: query.labelSelector,
    fieldSelector: query.fieldSelector,
    resourceVersion: query.resourceVersion,
    timeoutSeconds: query.timeoutSeconds,
    ...(query.sendInitialEvents ? { sendInitialEvents: true, resourceVersionMatch: 'NotOlderThan' } : {}),
  };
}

/** The object with apiVersion and kind, which callers and lists may leave out. */
function typed<T extends KubeObject>(resource: Resource, body: T): T {
  if (body.apiVersion !== undefined && body.kind !== undefined) return body;
  return { ...body, apiVersion: apiVersionOf(resource), kind: resource.kind };
}

function keyOf(object: KubeObject): ObjectKey {
  return { namespace: object.metadata.namespace, name: object.metadata.name ?? '' };
}

/** Refuses what would silently address a whole collection: an empty name, or a missing namespace. */
function named(resource: Resource, key: ObjectKey): ObjectKey {
  if (!key.name) throw new TypeError(`${resource.kind}: metadata.name is required`);
  if (resource.namespaced && !key.namespace) {
    throw new TypeError(`${resource.kind} ${key.name}: metadata.namespace is required`);
  }
  return key;
}
