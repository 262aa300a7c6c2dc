// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import { KubeError } from '@agenttier/machinery/kube/errors';
import { NETWORK_POLICIES, PODS, pathOf } from '@agenttier/machinery/kube/resource';
import type { KubeObject, ObjectKey, Resource } from '@agenttier/machinery/kube/resource';
import type { Pod, PodStatus } from '../core.ts';
import type { PerformContext } from '../sandbox/context.ts';

export interface Call {
  readonly verb: 'get' | 'list' | 'create' | 'apply' | 'patch' | 'delete';
  readonly resource: string;
  readonly name: string;
}

export type Change = { readonly resource: Resource; readonly gone: boolean; readonly object: KubeObject };

type Json = Record<string, unknown>;
interface DeleteOptions {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
  readonly gracePeriodSeconds?: number | undefined;
}

/**
 * The API server's rules that an operator leans on, in memory: uids, versions, generations, the status subresource,
 * preconditions, finalizers, and pods that end only when their kubelet says so. For unit tests of interleavings; what
 * the real server does is asked in the envtest.
 */
export class Cluster {
  readonly calls: Call[] = [];
  readonly #objects = new Map<string, { resource: Resource; object: KubeObject }>();
  readonly #listeners = new Set<(change: Change) => void>();
  #version = 1;
  #uids = 0;
  now: () => number = Date.now;
  /** Called before each call; throwing fails it. */
  before: ((call: Call) => void) | undefined;
  /** Called after each call that was carried out; throwing loses the answer, not the effect. */
  after: ((call: Call) => void) | undefined;

  subscribe(listener: (change: Change) => void): void {
    this.#listeners.add(listener);
    for (const { resource, object } of this.#objects.values()) listener({ resource, gone: false, object });
  }

  objects<T extends KubeObject = KubeObject>(resource: Resource): T[] {
    return [...this.#objects.values()]
      .filter((one) => one.resource.plural === resource.plural)
      .map((one) => one.object as T);
  }

  find(resource: Resource, namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(pathOf(resource, { namespace, name }))?.object;
  }

  /** Puts an object in as it is, or changes one, past every check: the hand of a user or of another controller. */
  put(resource: Resource, object: KubeObject): void {
    this.#store(resource, object);
  }

  /** Takes an object away, past every check. */
  drop(resource: Resource, namespace: string, name: string): void {
    const found = this.find(resource, namespace, name);
    if (found !== undefined) this.#remove(resource, found);
  }

  sandbox(name = 'one'): Sandbox {
    const found: Sandbox | undefined = this.find(SANDBOXES, 'team', name);
    if (found === undefined) throw new Error(`no sandbox ${name}`);
    return found;
  }

  editSandbox(edit: (sandbox: Sandbox) => Sandbox, name = 'one'): void {
    const before = this.sandbox(name);
    const after = edit(before);
    const changed = JSON.stringify(before.spec) !== JSON.stringify(after.spec);
    const generation = (before.metadata.generation ?? 0) + (changed ? 1 : 0);
    this.put(SANDBOXES, { ...after, metadata: { ...after.metadata, generation } });
  }

  pod(): Pod | undefined {
    return this.objects<Pod>(PODS)[0];
  }

  setPodStatus(status: PodStatus): void {
    const pod = this.pod();
    if (pod !== undefined) this.put(PODS, { ...pod, status } as KubeObject);
  }

  /** The kubelet reports that a terminating pod has ended. */
  endPod(pod = this.pod()): void {
    if (pod !== undefined) this.#remove(PODS, pod);
  }

  get client(): PerformContext['client'] {
    return {
      get: (resource, key) =>
        this.#call('get', resource, key.name, () => this.#found(resource, key)) as Promise<never>,
      list: (resource, query) =>
        this.#call('list', resource, '', () => ({
          items: this.#selected(resource, query?.namespace),
          resourceVersion: '',
        })) as Promise<never>,
      create: (resource, namespace, body) =>
        this.#call('create', resource, body.metadata.name ?? '', () =>
          this.#create(resource, namespace ?? '', body),
        ) as Promise<never>,
      apply: (resource, body) =>
        this.#call('apply', resource, body.metadata.name ?? '', () =>
          this.#merge(resource, keyOf(body), whole(resource, body as unknown as Json)),
        ) as Promise<never>,
      patch: (resource, key, patch, options) =>
        this.#call('patch', resource, key.name, () =>
          patch.type === 'json'
            ? this.#jsonPatch(resource, key, patch.body as JsonOp[])
            : this.#merge(resource, key, this.#byName(resource, key, patch), options?.subresource),
        ) as Promise<never>,
      delete: (resource, key, options) =>
        this.#call('delete', resource, key.name, () =>
          this.#delete(resource, key, options ?? {}),
        ) as Promise<never>,
    };
  }

  async #call<T>(verb: Call['verb'], resource: Resource, name: string, act: () => T): Promise<T> {
    const call = { verb, resource: resource.plural, name };
    this.calls.push(call);
    await Promise.resolve();
    this.before?.(call);
    const result = act();
    this.after?.(call);
    return structuredClone(result);
  }

  #found(resource: Resource, key: ObjectKey): KubeObject {
    const found = this.#objects.get(pathOf(resource, key));
    if (found === undefined) throw refusal(404, 'NotFound', `${resource.plural} "${key.name}" not found`);
    return found.object;
  }

  #selected(resource: Resource, namespace: string | undefined): KubeObject[] {
    return this.objects(resource).filter(
      ({ metadata }) => namespace === undefined || metadata.namespace === namespace,
    );
  }

  #create(resource: Resource, namespace: string, body: KubeObject): KubeObject {
    const path = pathOf(resource, { namespace, name: body.metadata.name });
    if (this.#objects.has(path)) throw refusal(409, 'AlreadyExists', `${resource.plural} already exists`);
    const creationTimestamp = new Date(Math.floor(this.now() / 1000) * 1000).toISOString();
    const metadata = {
      ...body.metadata,
      namespace,
      uid: `uid-${resource.plural}-${++this.#uids}`,
      creationTimestamp,
    };
    return this.#store(resource, { ...body, metadata });
  }

  #merge(resource: Resource, key: ObjectKey, patch: Json, subresource?: string): KubeObject {
    const current = this.#found(resource, key);
    const { uid, resourceVersion } = (patch['metadata'] ?? {}) as KubeObject['metadata'];
    if (uid !== undefined && uid !== current.metadata.uid) throw refusal(409, 'Conflict', 'uid mismatch');
    if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) {
      throw refusal(409, 'Conflict', 'the object has been modified');
    }
    const change = subresource === 'status' ? { status: patch['status'] } : withoutStatus(patch);
    const next = merged(current, change) as KubeObject;
    return JSON.stringify(next) === JSON.stringify(current) ? current : this.#store(resource, next);
  }

  /** The one list that strategic patches are used for here: containers, which merge by name. */
  #byName(
    resource: Resource,
    key: ObjectKey,
    patch: { readonly type: string; readonly body: unknown },
  ): Json {
    const body = patch.body as Json & { spec?: { containers?: readonly { name: string }[] } };
    const changes = body.spec?.containers ?? [];
    if (patch.type !== 'strategic' || changes.length === 0) return body;
    const { spec } = this.#found(resource, key) as Pod;
    const change = (name: string): object => changes.find((one) => one.name === name) ?? {};
    return { ...body, spec: { containers: spec.containers.map((one) => merged(one, change(one.name))) } };
  }

  #jsonPatch(resource: Resource, key: ObjectKey, patch: JsonOp[]): KubeObject {
    const current = this.#found(resource, key);
    const next = structuredClone(current) as unknown as Json;
    for (const op of patch) applyOp(next, op);
    return this.#store(resource, next as unknown as KubeObject);
  }

  #delete(resource: Resource, key: ObjectKey, options: DeleteOptions): Json {
    const current = this.#found(resource, key);
    checkPreconditions(current, options);
    const ends = resource === PODS && options.gracePeriodSeconds !== 0;
    const kept = ends || (current.metadata.finalizers ?? []).length > 0;
    if (!kept) this.#remove(resource, current);
    else if (current.metadata.deletionTimestamp === undefined)
      this.#store(resource, terminating(current, this.now()));
    return {};
  }

  #store(resource: Resource, object: KubeObject): KubeObject {
    const { metadata } = object;
    const stored = { ...object, metadata: { ...metadata, resourceVersion: String(++this.#version) } };
    const last = metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;
    if (last && resource !== PODS) this.#remove(resource, stored);
    else {
      this.#objects.set(pathOf(resource, metadata), { resource, object: stored });
      this.#tell({ resource, gone: false, object: stored });
    }
    return stored;
  }

  #remove(resource: Resource, object: KubeObject): void {
    this.#objects.delete(pathOf(resource, object.metadata));
    this.#tell({ resource, gone: true, object });
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(structuredClone(change));
  }
}

interface JsonOp {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** One operation of a JSON patch (RFC 6902), on members of objects. */
function applyOp(root: Json, { op, path, value }: JsonOp): void {
  const steps = path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = steps.pop() ?? '';
  const parent = steps.reduce<Json | undefined>((node, step) => node?.[step] as Json | undefined, root);
  const present = parent !== undefined && last in parent;
  const fails =
    op === 'test' ? JSON.stringify(parent?.[last]) !== JSON.stringify(value) : op !== 'add' && !present;
  if (fails || parent === undefined) throw refusal(422, 'Invalid', `the ${op} of ${path} failed`);
  if (op === 'remove') delete parent[last];
  else if (op !== 'test') parent[last] = value;
}

const keyOf = ({ metadata }: KubeObject): ObjectKey => ({
  namespace: metadata.namespace,
  name: metadata.name ?? '',
});

function checkPreconditions({ metadata }: KubeObject, { preconditions: must = {} }: DeleteOptions): void {
  const { uid, resourceVersion } = metadata;
  if (must.uid !== undefined && must.uid !== uid) throw refusal(409, 'Conflict', 'uid mismatch');
  if (must.resourceVersion !== undefined && must.resourceVersion !== resourceVersion)
    throw refusal(409, 'Conflict', 'the object has been modified');
}

const withoutStatus = (object: Json): Json =>
  Object.fromEntries(Object.entries(object).filter(([field]) => field !== 'status'));

const terminating = (object: KubeObject, now: number): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, deletionTimestamp: new Date(now).toISOString() },
});

export function refusal(status: number, reason: string, message: string): KubeError {
  return new KubeError({ status, reason, message });
}

/** What an apply replaces as a whole: the API server knows selectors as atomic. */
function whole(resource: Resource, body: Json): Json {
  return resource === NETWORK_POLICIES ? { ...body, spec: new Whole(body['spec'] as object) } : body;
}

class Whole {
  readonly value: object;
  constructor(value: object) {
    this.value = value;
  }
}

function merged(base: unknown, patch: unknown): unknown {
  if (patch instanceof Whole) return patch.value;
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Json = { ...(base as Json) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (value !== undefined) result[key] = merged(result[key], value);
  }
  return result;
}
