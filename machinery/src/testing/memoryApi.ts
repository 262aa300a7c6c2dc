// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import type { KubeClient, ListResult } from '../kube/client.ts';
import { errorFromResponse } from '../kube/errors.ts';
import { apiVersionOf, pathOf } from '../kube/resource.ts';
import type { KubeObject, ObjectKey, Resource } from '../kube/resource.ts';
import { statusBody } from './scriptedServer.ts';

export type Verb = 'get' | 'list' | 'create' | 'update' | 'apply' | 'patch' | 'delete';

export interface MemoryCall {
  readonly verb: Verb;
  readonly resource: Resource;
  readonly name: string | undefined;
  readonly body?: unknown;
}

type Client = Pick<KubeClient, Verb>;
type Json = Record<string, unknown>;

/**
 * Objects in memory behind the client's interface, with the API server's rules for versions, conflicts and
 * preconditions, for tests of code that reads and writes. No schema, no defaults; apply and merge patches merge maps and
 * replace lists, except lists of objects with `name`, which merge by it.
 */
export class MemoryApi implements Client {
  readonly calls: MemoryCall[] = [];
  readonly #objects = new Map<string, KubeObject>();
  #version = 0;
  /** Called before each call; throwing fails it, a promise delays it. */
  before: ((call: MemoryCall) => void | Promise<void>) | undefined;

  async get<T extends KubeObject>(resource: Resource, key: ObjectKey): Promise<T> {
    await this.#enter({ verb: 'get', resource, name: key.name });
    return structuredClone(this.#found(resource, key)) as T;
  }

  async list<T extends KubeObject>(
    resource: Resource,
    query: { readonly namespace?: string | undefined } = {},
  ): Promise<ListResult<T>> {
    await this.#enter({ verb: 'list', resource, name: undefined });
    const prefix = `${pathOf(resource)}/`;
    const items = [...this.#objects]
      .filter(([path, object]) => path.startsWith(prefix) && within(query.namespace, object))
      .map(([, object]) => structuredClone(object) as T);
    return { items, resourceVersion: String(this.#version) };
  }

  async create<T extends KubeObject>(resource: Resource, namespace: string | undefined, body: T): Promise<T> {
    const name = body.metadata.name ?? `${body.metadata.generateName ?? ''}${randomUUID().slice(0, 5)}`;
    await this.#enter({ verb: 'create', resource, name, body });
    const path = pathFor(resource, { namespace, name });
    if (this.#objects.has(path))
      throw refusal(409, 'AlreadyExists', `${resource.plural} "${name}" already exists`);
    const metadata = { ...body.metadata, name, ...(namespace ? { namespace } : {}), uid: randomUUID() };
    return this.#store(path, { ...body, apiVersion: apiVersionOf(resource), kind: resource.kind, metadata });
  }

  async update<T extends KubeObject>(resource: Resource, body: T): Promise<T> {
    const key = keyOf(body);
    await this.#enter({ verb: 'update', resource, name: key.name, body });
    const current = this.#found(resource, key);
    checkVersion(body, current);
    const metadata = { ...body.metadata, uid: current.metadata.uid ?? '' };
    return this.#store(pathFor(resource, key), { ...body, metadata });
  }

  async apply<T extends KubeObject>(resource: Resource, body: T): Promise<T> {
    const key = keyOf(body);
    await this.#enter({ verb: 'apply', resource, name: key.name, body });
    const path = pathFor(resource, key);
    const current = this.#objects.get(path) ?? {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: { uid: randomUUID() },
    };
    if (this.#objects.has(path)) checkVersion(body, current);
    return this.#store(path, merged(current, body) as T);
  }

  async patch<T extends KubeObject>(
    resource: Resource,
    key: ObjectKey,
    patch: { readonly type: string; readonly body: unknown },
  ): Promise<T> {
    await this.#enter({ verb: 'patch', resource, name: key.name, body: patch.body });
    const current = this.#found(resource, key);
    if (patch.type !== 'merge')
      throw refusal(415, 'UnsupportedMediaType', 'MemoryApi knows merge patches only');
    checkVersion(patch.body as KubeObject, current);
    return this.#store(pathFor(resource, key), merged(current, patch.body) as T);
  }

  async delete(
    resource: Resource,
    key: ObjectKey,
    options: {
      readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
    } = {},
  ): Promise<void> {
    await this.#enter({ verb: 'delete', resource, name: key.name });
    const { metadata } = this.#found(resource, key);
    const { uid, resourceVersion } = options.preconditions ?? {};
    if ((uid && uid !== metadata.uid) || (resourceVersion && resourceVersion !== metadata.resourceVersion)) {
      throw refusal(409, 'Conflict', 'the precondition failed');
    }
    this.#objects.delete(pathFor(resource, key));
  }

  async #enter(call: MemoryCall): Promise<void> {
    this.calls.push(call);
    await this.before?.(call);
  }

  #found(resource: Resource, key: ObjectKey): KubeObject {
    const object = this.#objects.get(pathFor(resource, key));
    if (!object) throw refusal(404, 'NotFound', `${resource.plural} "${key.name}" not found`);
    return object;
  }

  /** Like the API server, a write that changes nothing makes no new version. */
  #store<T extends KubeObject>(path: string, object: T): T {
    const current = this.#objects.get(path);
    const resourceVersion = current?.metadata.resourceVersion ?? '';
    const same = { ...object, metadata: { ...object.metadata, resourceVersion } };
    if (current && JSON.stringify(current) === JSON.stringify(same)) return structuredClone(current) as T;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } };
    this.#objects.set(path, structuredClone(stored));
    return stored;
  }
}

const pathFor = (resource: Resource, key: ObjectKey): string =>
  `${pathOf(resource)}/${resource.namespaced ? (key.namespace ?? '') : ''}/${key.name}`;

const keyOf = ({ metadata }: KubeObject): ObjectKey => ({
  namespace: metadata.namespace,
  name: metadata.name ?? '',
});

const within = (namespace: string | undefined, object: KubeObject): boolean =>
  namespace === undefined || object.metadata.namespace === namespace;

function checkVersion(body: KubeObject, current: KubeObject): void {
  const version = (body as Partial<KubeObject>).metadata?.resourceVersion;
  if (version && version !== current.metadata.resourceVersion) {
    throw refusal(409, 'Conflict', 'the object has been modified; apply your changes to the latest version');
  }
}

const refusal = (code: number, reason: string, message: string): Error =>
  errorFromResponse(code, statusBody(code, { reason, message }));

const isMap = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isNamedList = (value: unknown): value is Json[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((item) => isMap(item) && typeof item['name'] === 'string');

function merged(base: unknown, patch: unknown): unknown {
  if (isNamedList(base) && isNamedList(patch)) {
    const kept = base.map((item) => {
      const change = patch.find((other) => other['name'] === item['name']);
      return change ? merged(item, change) : item;
    });
    return [...kept, ...patch.filter((item) => !base.some((other) => other['name'] === item['name']))];
  }
  if (!isMap(patch)) return patch;
  const result: Json = isMap(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}
