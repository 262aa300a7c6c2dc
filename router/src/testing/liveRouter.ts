// SPDX-License-Identifier: Apache-2.0
import { createKubeClient } from '@agenttier/machinery/kube/client';
import type { ClusterAccess, KubeClient } from '@agenttier/machinery/kube/client';
import { SECRETS, SERVICE_ACCOUNTS } from '@agenttier/machinery/kube/resource';
import { LABEL_SECRET_PURPOSE, SECRET_PURPOSES } from '@agenttier/crds/meta/labels';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { createRegistry } from '@agenttier/machinery/telemetry/metrics';
import { until } from '@agenttier/machinery/testing/until';
import { readConfig } from '../config.ts';
import { createRouter } from '../router.ts';
import type { Router } from '../router.ts';
import type { Json } from './harness.ts';
import { ADMIN_KEY, ANN_KEY, BOB_KEY, keySecret } from './harness.ts';
import { grantRoles } from './rbac.ts';
import { keyObject } from './tokens.ts';

export interface LiveRouterOptions {
  readonly admin: KubeClient;
  readonly adminAccess: ClusterAccess;
  readonly installNamespace: string;
  readonly sandboxNamespace: string;
  readonly runtimePort?: number;
}

export interface LiveAnswer {
  readonly status: number;
  readonly body: Json;
}

/** A router on a real API server, under an account of its own with the least roles. */
export class LiveRouter {
  readonly router: Router;
  /** The router's own client, without anybody to speak for. */
  readonly client: KubeClient;
  readonly #watching = new AbortController();
  #watched: Promise<void> = Promise.resolve();
  #url = '';

  private constructor(options: LiveRouterOptions, token: string) {
    const { server, ca } = options.adminAccess;
    const access = { server, ca, token: async () => token, namespace: options.installNamespace };
    const result = readConfig({
      LISTEN_ADDR: '127.0.0.1:0',
      POD_NAMESPACE: options.installNamespace,
      SANDBOX_NAMESPACE: options.sandboxNamespace,
      AGENTTIER_RUNTIME_PORT: String(options.runtimePort ?? 9000),
      AGENTTIER_DRAIN_SECONDS: '2',
    });
    if (!result.ok) throw new Error(result.problems.join());
    this.client = createKubeClient(access);
    const registry = createRegistry('router', { processMetrics: false });
    this.router = createRouter({
      config: result.config,
      access,
      client: this.client,
      log: silentLogger,
      registry,
    });
  }

  static async start(options: LiveRouterOptions): Promise<LiveRouter> {
    const { admin, installNamespace } = options;
    const account = { metadata: { name: 'agenttier-router', namespace: installNamespace } };
    await admin.create(SERVICE_ACCOUNTS, installNamespace, account);
    await grantRoles(admin, installNamespace);
    await admin.create(SECRETS, installNamespace, keyObject(installNamespace));
    await storeKey(options, ANN_KEY, { userId: 'ann', email: 'ann@example.com' });
    await storeKey(options, BOB_KEY, { userId: 'bob' });
    await storeKey(options, ADMIN_KEY, { userId: 'root', isAdmin: true });
    return LiveRouter.replica(options);
  }

  /** One more beside one that was started: the same account, keys and rights. */
  static async replica(options: LiveRouterOptions): Promise<LiveRouter> {
    const live = new LiveRouter(options, await tokenOf(options.admin, options.installNamespace));
    live.#url = `http://127.0.0.1:${await live.router.listen()}`;
    live.#watched = live.router.watch(live.#watching.signal);
    await until(() => live.router.health.unready().length === 0, 'the router to be ready', 30_000);
    return live;
  }

  async stop(): Promise<void> {
    await this.router.close();
    this.#watching.abort();
    await this.#watched;
    await this.client.close();
  }

  /** As a client sees it, headers and all. */
  fetch(path: string, init: RequestInit = {}, key = ANN_KEY): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('X-API-Key', key);
    return fetch(`${this.#url}/api/v1${path}`, { ...init, headers });
  }

  async call(method: string, path: string, body?: unknown, key = ANN_KEY): Promise<LiveAnswer> {
    const answer = await fetch(`${this.#url}/api/v1${path}`, {
      method,
      headers: { 'X-API-Key': key },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  }
}

/** Stores a key as the installation does; resolves with the name of its Secret. */
export async function storeKey(
  { admin, installNamespace }: Pick<LiveRouterOptions, 'admin' | 'installNamespace'>,
  key: string,
  record: Record<string, unknown>,
): Promise<string> {
  const secret = keySecret(key, record);
  const labels = { [LABEL_SECRET_PURPOSE]: SECRET_PURPOSES.apiKey };
  const name = secret.metadata.name ?? '';
  await admin.create(SECRETS, installNamespace, {
    ...secret,
    metadata: { name, namespace: installNamespace, labels },
  });
  return name;
}

async function tokenOf(admin: KubeClient, namespace: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/agenttier-router/token`;
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 3600 },
  };
  const { body: issued } = await admin.raw({ method: 'POST', path, body });
  return (issued as { status: { token: string } }).status.token;
}
