// SPDX-License-Identifier: Apache-2.0
import { Agent, request } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import {
  CUSTOM_RESOURCE_DEFINITIONS,
  type KubeObject,
  PODS,
  type Resource,
  VALIDATING_WEBHOOK_CONFIGURATIONS,
} from '@agenttier/machinery/kube/resource';
import { type Figure, figure } from './stats.ts';
import { timed } from './rest.ts';
import { TWIN_GROUP, twinDefinition } from './sandboxTwin.ts';

interface Configuration extends KubeObject {
  readonly webhooks: readonly { readonly clientConfig: { readonly caBundle: string } }[];
}

const sandbox = (resource: Resource, template: string): KubeObject =>
  ({
    apiVersion: `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: { name: 'bench-admission' },
    spec: { templateRef: { kind: 'ClusterSandboxTemplate', name: template } },
  }) as KubeObject;

async function dryRuns(
  client: KubeClient,
  resource: Resource,
  template: string,
  rounds: number,
): Promise<number[]> {
  const once = () => client.create(resource, 'default', sandbox(resource, template), { dryRun: true });
  for (let warm = 0; warm < 20; warm += 1) await once();
  const values: number[] = [];
  for (let round = 0; round < rounds; round += 1) values.push(await timed(once));
  return values;
}

/** The API server serves a new kind a moment after it took its definition. */
async function untilServed(client: KubeClient, resource: Resource, template: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await client.create(resource, 'default', sandbox(resource, template), { dryRun: true });
      return;
    } catch (error) {
      if (attempt > 100) throw error;
      await pause(100);
    }
  }
}

/** A whole create request (server-side dry run), with our two webhooks in its way and without them. */
export async function measureRequests(
  client: KubeClient,
  template: string,
  rounds: number,
): Promise<Figure[]> {
  const twin: Resource = { ...SANDBOXES, group: TWIN_GROUP };
  await client.create(CUSTOM_RESOURCE_DEFINITIONS, undefined, twinDefinition());
  try {
    await untilServed(client, twin, template);
    const without = await dryRuns(client, twin, template, rounds);
    const withWebhooks = await dryRuns(client, SANDBOXES, template, rounds);
    return [
      figure(
        'create request without our webhooks',
        without,
        'API server dry run, same schema in another group',
      ),
      figure('create request with our webhooks', withWebhooks, 'API server dry run'),
    ];
  } finally {
    await client.delete(CUSTOM_RESOURCE_DEFINITIONS, { name: `sandboxes.${TWIN_GROUP}` });
  }
}

function review(template: string, index: number): string {
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: `bench-${index}`,
      kind: { group: 'agenttier.io', version: 'v1alpha1', kind: 'Sandbox' },
      resource: { group: 'agenttier.io', version: 'v1alpha1', resource: 'sandboxes' },
      name: 'bench-admission',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'bench', groups: ['system:authenticated'] },
      object: {
        ...sandbox(SANDBOXES, template),
        metadata: { name: 'bench-admission', namespace: 'default' },
      },
      oldObject: null,
      dryRun: true,
    },
  });
}

/** One AdmissionReview over a kept-alive TLS connection to a webhook pod: what the API server waits for. */
export async function measureHandler(client: KubeClient, template: string, rounds: number): Promise<Figure> {
  const pods = await client.list<KubeObject & { status: { podIP: string } }>(PODS, {
    namespace: 'agenttier',
    labelSelector: 'app.kubernetes.io/component=webhook',
  });
  const host = pods.items[0]?.status.podIP ?? '';
  const configuration = await client.get<Configuration>(VALIDATING_WEBHOOK_CONFIGURATIONS, {
    name: 'agenttier',
  });
  const agent = new Agent({
    keepAlive: true,
    ca: Buffer.from(configuration.webhooks[0]?.clientConfig.caBundle ?? '', 'base64'),
    servername: 'agenttier-webhook.agenttier.svc',
  });
  const post = (body: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const call = request(
        {
          agent,
          host,
          port: 9443,
          path: '/mutate/sandboxes',
          method: 'POST',
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        },
        (answer) => {
          answer.resume();
          answer.on('end', () =>
            answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode}`)),
          );
        },
      );
      call.on('error', reject);
      call.end(body);
    });
  const values: number[] = [];
  for (let round = 0; round < rounds + 50; round += 1) {
    const took = await timed(() => post(review(template, round)));
    if (round >= 50) values.push(took);
  }
  agent.destroy();
  return figure(
    'webhook handler (mutate, create)',
    values,
    'AdmissionReview over kept-alive TLS, sequential',
  );
}
