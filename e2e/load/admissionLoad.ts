// SPDX-License-Identifier: Apache-2.0
import { Agent, request } from 'node:https';
import { CLUSTER_SANDBOX_TEMPLATES, SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { type KubeObject, type Resource, SECRETS } from '@agenttier/machinery/kube/resource';
import rfc6902 from 'rfc6902';
import { openLoop } from './openLoop.ts';
import { TWIN_GROUP } from './sandboxTwin.ts';
import { type Figure, figure } from './stats.ts';
import { HALF_LABEL, INSTALL_NAMESPACE, type Replica } from './webhookReplicas.ts';

export const TWIN: Resource = { ...SANDBOXES, group: TWIN_GROUP };
export const TEMPLATE = 'bench-base';

let serial = 0;

/** A sandbox with a name of its own that sets what people commonly set. */
export function sandboxObject(resource: Resource, namespace: string): KubeObject & { readonly spec: object } {
  serial += 1;
  return {
    apiVersion: `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: { name: `bench-${serial}`, namespace, labels: { [HALF_LABEL]: String(serial % 2) } },
    spec: {
      templateRef: { kind: 'ClusterSandboxTemplate', name: TEMPLATE },
      resources: { limits: { cpu: '1', memory: '1Gi' } },
      env: [{ name: 'STAGE', value: 'bench' }],
    },
  };
}

export const createOne = (client: KubeClient, resource: Resource, namespace: string): Promise<unknown> =>
  client.create<KubeObject>(resource, namespace, sandboxObject(resource, namespace));

/** Brings the number of sandboxes up to `wanted`, as fast as it goes. Answers how many there are. */
export async function fill(
  client: KubeClient,
  namespace: string,
  { from, wanted }: { readonly from: number; readonly wanted: number },
): Promise<number> {
  let left = wanted - from;
  const worker = async (): Promise<void> => {
    for (; left > 0; ) {
      left -= 1;
      await createOne(client, SANDBOXES, namespace);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return Math.max(from, wanted);
}

/** A parent and a leaf that inherits from it, as most installations have, and others that nobody uses. */
export async function makeTemplates(client: KubeClient): Promise<void> {
  const image = { repository: 'ghcr.io/acme/base', tag: '1.0' };
  await template(client, 'bench-root', { image, storage: { size: '5Gi' }, timeout: '8h' });
  const inheritsFrom = { kind: 'ClusterSandboxTemplate', name: 'bench-root' };
  await template(client, TEMPLATE, { inheritsFrom, env: [{ name: 'A', value: '1' }], idleTimeout: '1h' });
}

const template = (client: KubeClient, name: string, spec: object): Promise<unknown> =>
  client.create(CLUSTER_SANDBOX_TEMPLATES, undefined, { metadata: { name }, spec } as KubeObject);

export async function addTemplates(client: KubeClient, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const env = Array.from({ length: 10 }, (_, at) => ({ name: `V${at}`, value: `of template ${index}` }));
    await template(client, `bench-more-${index}`, { image: { repository: `ghcr.io/acme/t${index}` }, env });
  }
}

export async function removeTemplates(client: KubeClient, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1)
    await client.delete(CLUSTER_SANDBOX_TEMPLATES, { name: `bench-more-${index}` });
}

export interface Load {
  readonly perSecond: number;
  readonly seconds: number;
}

const METHOD = 'open loop, timed from when due';

/** Whole create requests, stored for real, without and with our webhooks: in turns, so that noise meets both. */
export async function measureCreates(
  client: KubeClient,
  at: { readonly namespace: string; readonly label: string; readonly rounds: number },
  { perSecond, seconds }: Load,
): Promise<{ figures: Figure[]; created: number }> {
  const times: Record<'without' | 'with', number[]> = { without: [], with: [] };
  const failures: unknown[] = [];
  const count = Math.round((perSecond * seconds) / at.rounds);
  for (let round = 0; round < at.rounds; round += 1) {
    for (const [kind, resource] of [
      ['without', TWIN],
      ['with', SANDBOXES],
    ] as const) {
      const run = await openLoop(perSecond, count, () => createOne(client, resource, at.namespace));
      failures.push(...run.failures);
      times[kind].push(...run.latencies);
    }
  }
  // Said beside the figure: what was not answered has no latency, and leaving it out in silence would flatter.
  const failed =
    failures.length === 0 ? '' : `; ${failures.length} failed, the first with: ${firstLine(failures[0])}`;
  const figures = [
    figure(`create without webhooks, ${at.label}`, times.without, METHOD),
    figure(`create with webhooks, ${at.label}`, times.with, `${METHOD}${failed}`),
  ];
  return { figures, created: times.with.length };
}

const firstLine = (error: unknown): string => String(error).replaceAll('|', '/').split('\n', 1)[0] ?? '';

interface Review {
  readonly response: { readonly allowed: boolean; readonly patch?: string; readonly status?: unknown };
}

/** AdmissionReviews straight to one replica over kept-alive TLS: what the API server waits for in each of the two steps. */
export async function measureHandlers(
  client: KubeClient,
  replica: Replica,
  at: { readonly namespace: string; readonly label: string },
  { perSecond, seconds }: Load,
): Promise<Figure[]> {
  const secret = await client.get<KubeObject & { readonly data: Readonly<Record<string, string>> }>(SECRETS, {
    namespace: INSTALL_NAMESPACE,
    name: 'agenttier-webhook-tls',
  });
  const agent = new Agent({ keepAlive: true, ca: Buffer.from(secret.data['ca.crt'] ?? '', 'base64') });
  const post = postTo(agent, replica.webhookPort);
  const object = sandboxObject(SANDBOXES, at.namespace);
  const mutated = structuredClone(object);
  const { response } = await post('mutate', reviewOf(object, at.namespace));
  const patch = Buffer.from(response.patch ?? '', 'base64').toString('utf8');
  rfc6902.applyPatch(mutated, JSON.parse(patch) as Parameters<typeof rfc6902.applyPatch>[1]);
  const figures: Figure[] = [];
  for (const [verb, of] of [
    ['mutate', object],
    ['validate', mutated],
  ] as const) {
    const body = reviewOf(of, at.namespace);
    for (let warm = 0; warm < 100; warm += 1) await post(verb, body);
    const { latencies, failures } = await openLoop(perSecond, perSecond * seconds, () => post(verb, body));
    if (failures.length > 0) throw failures[0];
    figures.push(figure(`handler ${verb}, ${at.label}`, latencies, `AdmissionReview over TLS, ${METHOD}`));
  }
  agent.destroy();
  return figures;
}

const reviewOf = (object: KubeObject, namespace: string): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'bench',
      kind: { group: SANDBOXES.group, version: SANDBOXES.version, kind: SANDBOXES.kind },
      resource: { group: SANDBOXES.group, version: SANDBOXES.version, resource: SANDBOXES.plural },
      name: object.metadata.name,
      namespace,
      operation: 'CREATE',
      userInfo: { username: 'envtest-admin', groups: ['system:masters', 'system:authenticated'] },
      object: { ...object, metadata: { ...object.metadata, uid: '00000000-0000-4000-8000-000000000000' } },
      oldObject: null,
      dryRun: true,
    },
  });

const postTo =
  (agent: Agent, port: number) =>
  (verb: 'mutate' | 'validate', body: string): Promise<Review> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const path = `/${verb}/sandboxes`;
      const call = request({ agent, host: '127.0.0.1', port, path, method: 'POST', headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          const review = answer.statusCode === 200 ? (JSON.parse(text) as Review) : undefined;
          if (review?.response.allowed === true) resolve(review);
          else reject(new Error(`${verb} answered ${answer.statusCode}: ${text}`));
        });
      });
      call.on('error', reject);
      call.end(body);
    });
