// SPDX-License-Identifier: Apache-2.0
import type { Sandbox } from '@agenttier/crds/generated/types';
import { ANNOTATION_TOKEN_NONCE, FINALIZER, ownedLabels } from '@agenttier/crds/meta/labels';
import { podName } from '@agenttier/crds/meta/names';
import { ALL_RESOURCES, SANDBOXES } from '@agenttier/crds/meta/resources';
import { apiKeySecretName } from '@agenttier/crds/wire/apiKey';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { INITIAL_EVENTS_END } from '@agenttier/machinery/kube/watch';
import type { KubeObject, Resource } from '@agenttier/machinery/kube/resource';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { createRegistry } from '@agenttier/machinery/telemetry/metrics';
import { MemoryApi } from '@agenttier/machinery/testing/memoryApi';
import { until } from '@agenttier/machinery/testing/until';
import type { Secret } from '../cluster/shapes.ts';
import { readConfig } from '../config.ts';
import type { Config } from '../config.ts';
import { hashKey } from '../auth/keyRecord.ts';
import { createRouter } from '../router.ts';
import type { Router } from '../router.ts';
import { admit, keyObject, TEST_NONCE } from './tokens.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
export type Json = any;

type SandboxObject = Sandbox & KubeObject;

export interface SandboxSetup {
  readonly name: string;
  readonly namespace?: string;
  readonly owner?: string;
  readonly phase?: 'Creating' | 'Running' | 'Stopped' | 'Error';
  readonly spec?: Sandbox['spec'];
  /** Default: whatever the phase implies. */
  readonly pod?: boolean;
  readonly podIP?: string;
  /** Of the pod; with any but the default the runtime does not know the router's token, with '' there is none. */
  readonly nonce?: string;
  /** Default: another one for each. */
  readonly uid?: string;
}

export const ANN_KEY = 'atk_ann-0123456789abcdefghijklmnop';
export const BOB_KEY = 'atk_bob-0123456789abcdefghijklmnop';
export const ADMIN_KEY = 'atk_admin-0123456789abcdefghijkl';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

export function keySecret(key: string, record: Record<string, unknown>): Secret {
  const keyHash = hashKey(key);
  return {
    metadata: {
      name: apiKeySecretName(keyHash),
      namespace: 'agenttier',
      resourceVersion: keyHash.slice(0, 8),
    },
    data: { keyHash: base64(keyHash), record: base64(JSON.stringify({ name: 'key', email: '', ...record })) },
  };
}

export interface HarnessOptions {
  /** URL of an API server for pods/exec; default: nothing listens there. */
  readonly apiServer?: string;
  /** False leaves the router as it is before it has read the cluster. */
  readonly watching?: boolean;
}

/** A router on loopback over objects in memory: its stores are filled by the test, writes reach them by themselves. */
export class Harness {
  readonly api = new MemoryApi();
  /** Every call of the router to the API server, with all that it was given. */
  readonly calls: { readonly method: string; readonly given: readonly unknown[] }[] = [];
  readonly router: Router;
  readonly #access = { server: 'http://127.0.0.1:1', namespace: 'default' };
  readonly #watching = new AbortController();
  #watched: Promise<void> = Promise.resolve();
  url = '';

  private constructor(config: Partial<Config>, apiServer?: string) {
    const base = readConfig({ LISTEN_ADDR: '127.0.0.1:0' });
    if (!base.ok) throw new Error(base.problems.join());
    this.router = createRouter({
      config: { ...base.config, drainMs: 2000, ...config },
      access: apiServer ? { ...this.#access, server: apiServer } : this.#access,
      client: recording(clientOf(this.api), (method, given) => this.calls.push({ method, given })),
      log: silentLogger,
      registry: createRegistry('router', { processMetrics: false }),
    });
  }

  static async start(config: Partial<Config> = {}, options: HarnessOptions = {}): Promise<Harness> {
    const harness = new Harness(config, options.apiServer);
    if (options.watching ?? true) await harness.#watch();
    harness.url = `http://127.0.0.1:${await harness.router.listen()}`;
    const { apiKeys, keys } = harness.router.stores;
    const key = keyObject('agenttier');
    keys.applyWatch({ ...key, metadata: { ...key.metadata, resourceVersion: '1' } });
    apiKeys.applyWatch(keySecret(ANN_KEY, { userId: 'ann', email: 'ann@example.com' }));
    apiKeys.applyWatch(keySecret(BOB_KEY, { userId: 'bob' }));
    apiKeys.applyWatch(keySecret(ADMIN_KEY, { userId: 'root', isAdmin: true }));
    return harness;
  }

  async #watch(): Promise<void> {
    this.#watched = this.router.watch(this.#watching.signal);
    await until(() => this.router.health.unready().length === 0, 'the router to be ready');
  }

  async stop(): Promise<void> {
    await this.router.close();
    this.#watching.abort();
    await this.#watched;
  }

  /** Puts a sandbox, with its pod where it runs, before the router. */
  async add(setup: SandboxSetup): Promise<SandboxObject> {
    const { name, namespace = 'default', owner = 'ann', phase = 'Running' } = setup;
    const stored = await this.api.create<SandboxObject>(SANDBOXES, namespace, {
      metadata: { name, namespace, creationTimestamp: new Date().toISOString(), finalizers: [FINALIZER] },
      spec: { templateRef: { name: 'shell' }, createdBy: { sub: owner }, ...setup.spec },
      status: { phase, podName: podName(name), pvcName: `${name}-workspace` },
    });
    const uid = setup.uid ?? stored.metadata.uid ?? '';
    const created = { ...stored, metadata: { ...stored.metadata, uid } };
    if (setup.pod ?? phase === 'Running') this.addPod(created, setup);
    this.router.stores.sandboxes.applyWatch(created);
    return created;
  }

  /** A change of the sandbox as the watch would bring it. */
  change(sandbox: SandboxObject, change: Partial<SandboxObject>): SandboxObject {
    const metadata = { ...sandbox.metadata, ...change.metadata, resourceVersion: `${Math.random()}` };
    const changed = { ...sandbox, ...change, metadata };
    this.router.stores.sandboxes.applyWatch(changed);
    return changed;
  }

  addPod(
    sandbox: SandboxObject,
    { podIP = '127.0.0.1', nonce = TEST_NONCE }: Partial<SandboxSetup> = {},
  ): void {
    const { name = '', namespace = '', uid = '' } = sandbox.metadata;
    admit(uid);
    this.router.stores.pods.applyWatch({
      metadata: {
        name: podName(name),
        namespace,
        uid: `pod-of-${uid}`,
        resourceVersion: `${Math.random()}`,
        labels: ownedLabels(name, uid),
        annotations: { [ANNOTATION_TOKEN_NONCE]: nonce },
      },
      status: { phase: 'Running', podIP },
    });
  }

  async call(
    method: string,
    path: string,
    options: { key?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; headers: Headers; body: Json }> {
    const { key = ANN_KEY, body, headers = {} } = options;
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...(key === '' ? {} : { 'X-API-Key': key }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json') ?? false;
    return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
  }
}

function recording(
  client: KubeClient,
  record: (method: string, given: readonly unknown[]) => void,
): KubeClient {
  return new Proxy(client, {
    get: (target, name: keyof KubeClient) => {
      const method = target[name] as (...given: readonly unknown[]) => unknown;
      return (...given: readonly unknown[]) => {
        record(name, given);
        return method(...given);
      };
    },
  });
}

/** The in-memory API server behind the whole client interface; watches never say anything. */
function clientOf(api: MemoryApi): KubeClient {
  const remove: KubeClient['raw'] = async ({ path, body }) => {
    const { preconditions = {}, dryRun } = body as { preconditions?: { uid?: string }; dryRun?: unknown };
    const { resource, key } = placeIn(path);
    const { metadata } = await api.get(resource, key);
    if (preconditions.uid !== metadata.uid) throw new Error('the precondition failed');
    if (dryRun !== undefined) return { status: 200, headers: {}, body: undefined };
    if (resource.kind === 'Sandbox') {
      const deletionTimestamp = new Date().toISOString();
      const patch = { type: 'merge', body: { metadata: { deletionTimestamp } } };
      return { status: 200, headers: {}, body: await api.patch(resource, key, patch) };
    }
    await api.delete(resource, key);
    return { status: 200, headers: {}, body: undefined };
  };
  return {
    get: (resource, key) => api.get(resource, key),
    list: (resource, query) => api.list(resource, query),
    create: async (resource, namespace, body, options) =>
      options?.dryRun ? body : api.create(resource, namespace, body),
    update: async (resource, body, options) => (options?.dryRun ? body : api.update(resource, body)),
    apply: (resource, body) => api.apply(resource, body),
    patch: async (resource, key, patch, options) =>
      options?.dryRun ? api.get(resource, key) : api.patch(resource, key, patch),
    delete: (resource, key, options) => api.delete(resource, key, options),
    // A streaming list of what is there when it begins, and then silence: tests fill the stores themselves.
    watch: async function* (resource, _query, control) {
      for (const object of (await api.list(resource)).items) yield { type: 'ADDED', object } as never;
      const annotations = { [INITIAL_EVENTS_END]: 'true' };
      yield { type: 'BOOKMARK', object: { metadata: { resourceVersion: '0', annotations } } };
      await new Promise((resolve) => control?.signal?.addEventListener('abort', resolve, { once: true }));
    },
    raw: remove,
    close: async () => {},
  };
}

/** What the path of one of our kinds addresses. */
function placeIn(path: string): { resource: Resource; key: { namespace?: string; name: string } } {
  const [, , namespace, plural = '', name = ''] =
    /^\/apis\/agenttier\.io\/v1alpha1(\/namespaces\/([^/]+))?\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  const resource = ALL_RESOURCES.find((one) => one.plural === plural);
  if (resource === undefined) throw new Error(`no kind of ours is at ${path}`);
  return { resource, key: { ...(namespace === undefined ? {} : { namespace }), name } };
}
