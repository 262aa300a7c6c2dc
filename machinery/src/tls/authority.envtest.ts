// SPDX-License-Identifier: Apache-2.0
import { adminClient, freshNamespace } from '@agenttier/e2e/envtest/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttpServer } from '../http/server.ts';
import type { HttpServer } from '../http/server.ts';
import type { KubeClient } from '../kube/client.ts';
import { CONFIG_MAPS, SECRETS, VALIDATING_WEBHOOK_CONFIGURATIONS } from '../kube/resource.ts';
import type { KubeObject } from '../kube/resource.ts';
import { silentLogger } from '../telemetry/log.ts';
import { until } from '../testing/until.ts';
import { createAuthority } from './authority.ts';
import type { Authority } from './authority.ts';
import { parseBundle } from './pem.ts';

const DAY = 86_400_000;
let client: KubeClient;
let namespace: string;
let now: number;
let servers: HttpServer[];
const asked: string[] = [];

beforeEach(async () => {
  client = await adminClient();
  namespace = await freshNamespace('authority');
  now = Date.now();
  servers = [];
  asked.length = 0;
});
afterEach(async () => {
  await client.delete(VALIDATING_WEBHOOK_CONFIGURATIONS, { name: namespace }).catch(() => undefined);
  await Promise.all(servers.map((server) => server.close()));
});

const replica = (): Authority =>
  createAuthority({
    client,
    namespace,
    secretName: 'webhook-tls',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    webhooks: { validating: [namespace] },
    fieldManager: 'agenttier-webhook',
    log: silentLogger,
    clock: { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() },
  });

/** An admission webhook that allows everything and notes what it was asked. */
async function serve(authority: Authority): Promise<number> {
  const server = createHttpServer({
    port: 0,
    host: '127.0.0.1',
    tls: authority,
    drainMs: 10,
    log: silentLogger,
    app: (request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      request.on('end', () => {
        const { uid, name } = (JSON.parse(text) as { request: { uid: string; name: string } }).request;
        asked.push(name);
        const body = {
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: { uid, allowed: true },
        };
        response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
      });
    },
  });
  servers.push(server);
  return server.listen();
}

/** The configuration as a chart installs it: without a caBundle. */
async function configure(port: number): Promise<void> {
  const webhook = (name: string, operations: string[]) => ({
    name: `${name}.example.org`,
    clientConfig: { url: `https://127.0.0.1:${port}/${name}` },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations, resources: ['configmaps'] }],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    failurePolicy: 'Fail',
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    timeoutSeconds: 5,
  });
  const body = {
    metadata: { name: namespace },
    webhooks: [webhook('create', ['CREATE']), webhook('delete', ['DELETE'])],
  };
  await client.apply(VALIDATING_WEBHOOK_CONFIGURATIONS, body, { fieldManager: 'helm' });
}

const create = (name: string): Promise<KubeObject> =>
  client.create(CONFIG_MAPS, namespace, { metadata: { name, namespace } }, { dryRun: true });

const admitted = async (name: string): Promise<boolean> =>
  create(name).then(
    () => asked.includes(name),
    () => false,
  );

describe('authority against a real API server', () => {
  it('makes webhooks callable, leaves the rest of the configuration alone, and rotates without a failure', async () => {
    const [a, b] = [replica(), replica()];
    await Promise.all([a.ensure(), b.ensure()]);
    expect(a.current()).toEqual(b.current());
    const port = await serve(a);
    await configure(port);
    await expect(create('untrusted')).rejects.toMatchObject({ status: 500 });

    await a.ensure();
    await until(() => admitted('first'), 'the webhook to be trusted');
    const chart = await client.get<KubeObject & { webhooks: unknown[] }>(VALIDATING_WEBHOOK_CONFIGURATIONS, {
      name: namespace,
    });
    expect(chart.webhooks).toMatchObject([
      {
        name: 'create.example.org',
        failurePolicy: 'Fail',
        timeoutSeconds: 5,
        rules: [{ operations: ['CREATE'] }],
      },
      {
        name: 'delete.example.org',
        failurePolicy: 'Fail',
        timeoutSeconds: 5,
        rules: [{ operations: ['DELETE'] }],
      },
    ]);
    // The chart is applied again, as an upgrade does: it owns everything but the bundle, which must stay.
    await configure(port);
    expect(await admitted('upgraded')).toBe(true);

    const before = a.current()?.cert;
    now += 61 * DAY;
    await a.ensure();
    expect(a.current()?.cert).not.toBe(before);
    expect(await admitted('renewed')).toBe(true);
    await b.ensure();
    expect(b.current()).toEqual(a.current());
  });

  it('keeps the old CA trusted beside the new one', async () => {
    const authority = replica();
    await authority.ensure();
    await configure(await serve(authority));
    await authority.ensure();
    await until(() => admitted('before'));
    for (let day = 0; day < 250 && parseBundle(authority.current()?.ca ?? '').length < 2; day += 10) {
      now += 10 * DAY;
      await authority.ensure();
    }
    expect(parseBundle(authority.current()?.ca ?? '')).toHaveLength(2);
    const { data } = await client.get<KubeObject & { data: Record<string, string> }>(SECRETS, {
      namespace,
      name: 'webhook-tls',
    });
    expect(Object.keys(data).toSorted()).toEqual(['ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
    const configuration = await client.get<
      KubeObject & { webhooks: { clientConfig: { caBundle: string } }[] }
    >(VALIDATING_WEBHOOK_CONFIGURATIONS, { name: namespace });
    expect(configuration.webhooks.map(({ clientConfig }) => clientConfig.caBundle)).toEqual([
      data['ca.crt'],
      data['ca.crt'],
    ]);
  });
});
