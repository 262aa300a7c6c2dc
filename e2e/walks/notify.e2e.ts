// SPDX-License-Identifier: Apache-2.0
import { createHmac, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  apiKey,
  apiUrl,
  apply,
  getJson,
  kubectl,
  ok,
  rest,
  until,
  untilPhase,
  walkNamespace,
} from './harness.ts';
import type { Json } from './harness.ts';
import { startCollector, startReceiver } from './listeners.ts';
import type { Collector, Receiver } from './listeners.ts';

const INSTALL = 'agenttier';
const DEPLOYMENTS = ['operator', 'webhook', 'router'].map((name) => `deployment/agenttier-${name}`);
const KEY = randomBytes(24).toString('hex');

let receiver: Receiver;
let collector: Collector;

const rolledOut = async (): Promise<void> => {
  for (const name of DEPLOYMENTS) {
    await ok(kubectl(['rollout', 'status', name, '-n', INSTALL, '--timeout=120s']));
  }
};

/** The installation as a chart's values would have made it: told of a collector and of the receiver's network. */
beforeAll(async () => {
  const nodes = await getJson(['nodes']);
  const address: string = nodes.items[0].status.addresses.find(
    (one: Json) => one.type === 'InternalIP',
  ).address;
  receiver = await startReceiver(address);
  collector = await startCollector(address);
  const settings = [
    `OTEL_EXPORTER_OTLP_ENDPOINT=${collector.url}`,
    `NOTIFY_ALLOWED_CIDRS=${address}/32`,
    `NOTIFY_EXTRA_CA=${receiver.ca}`,
  ];
  await ok(kubectl(['set', 'env', ...DEPLOYMENTS, '-n', INSTALL, ...settings]));
  await rolledOut();
}, 300_000);

afterAll(async () => {
  for (const name of DEPLOYMENTS) await ok(kubectl(['rollout', 'undo', name, '-n', INSTALL]));
  await rolledOut();
  await Promise.all([receiver.close(), collector.close()]);
}, 300_000);

const sum = (phases: Readonly<Record<string, number>>): number =>
  Object.values(phases).reduce((total, ms) => total + ms, 0);

describe('a start', () => {
  const namespace = walkNamespace('walk-notify');
  const traceId = randomBytes(16).toString('hex');
  const call = (method: string, path: string, body?: object): Promise<Response> =>
    fetch(`${apiUrl}/api/v1/sandboxes${path}`, {
      method,
      headers: {
        'X-API-Key': apiKey,
        'Content-Type': 'application/json',
        traceparent: `00-${traceId}-${'1'.repeat(16)}-01`,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  it('is told, with phases that add up, also when it is a resume', async () => {
    const body = { name: 'timed', namespace: namespace(), templateRef: { name: 'minimal-shell' } };
    const answer = await call('POST', '', body);
    expect(answer.status).toBe(201);
    expect(answer.headers.get('traceresponse')).toContain(traceId);
    const { status } = await untilPhase('timed', namespace(), 'Running');
    const first = status.startup;
    expect(['cold', 'warm']).toContain(first.path);
    expect(first.totalMs).toBeGreaterThan(0);
    expect(sum(first.phases)).toBeCloseTo(first.totalMs, 3);
    expect(Object.keys(first.phases)).toContain('ready');
    expect((await call('POST', `/timed/stop?namespace=${namespace()}`)).status).toBe(200);
    await untilPhase('timed', namespace(), 'Stopped');
    expect((await call('POST', `/timed/resume?namespace=${namespace()}`)).status).toBe(200);
    const again = (await untilPhase('timed', namespace(), 'Running')).status.startup;
    expect(again.path).toBe('resume');
    expect(Date.parse(again.admittedAt)).toBeGreaterThan(Date.parse(first.admittedAt));
    expect(sum(again.phases)).toBeCloseTo(again.totalMs, 3);
  });

  it('is one trace from the HTTP request to the running sandbox', async () => {
    const wanted = [
      'router.POST',
      'webhook.mutate',
      'webhook.validate',
      'operator.reconcile',
      'sandbox.start',
    ];
    // Each process tells of its spans in batches of its own, so a parent may come after its child.
    const spans = await until('every part of the trace, each with its parent', async () => {
      const found = collector.spans.filter((span) => span.traceId === traceId);
      const names = new Set(found.map(({ name }) => name));
      const known = new Set([...found.map(({ spanId }) => spanId), '1'.repeat(16)]);
      const whole = found.every(({ parentSpanId }) => known.has(parentSpanId));
      return whole && wanted.every((name) => names.has(name)) ? found : undefined;
    });
    expect(new Set(spans.map(({ service }) => service))).toEqual(
      new Set(['agenttier-router', 'agenttier-webhook', 'agenttier-operator']),
    );
    const requests = spans.filter(({ name }) => name === 'router.POST').map(({ spanId }) => spanId);
    const starts = spans
      .filter(({ name }) => name === 'sandbox.start')
      .map(({ parentSpanId }) => parentSpanId);
    expect(requests).toEqual(expect.arrayContaining(starts));
  });
});

/** A sandbox whose agent says what it was given, with the template that makes it one. */
const agent = `
apiVersion: agenttier.io/v1alpha1
kind: SandboxTemplate
metadata:
  name: walk-told
spec:
  mode: agent
  inheritsFrom: { kind: ClusterSandboxTemplate, name: minimal-shell }
  harness:
    agent:
      entrypoint: ['/bin/sh', '-c', 'echo "did $(cat)"']
---
apiVersion: agenttier.io/v1alpha1
kind: Sandbox
metadata:
  name: gone
spec:
  templateRef: { kind: SandboxTemplate, name: walk-told }
`;

describe('a subscription', () => {
  const namespace = walkNamespace('walk-subscription');

  const told = (type: string): boolean => receiver.received.some(({ body }) => body.event === type);

  it('hears of a share, an invocation and the end, each once, with a signature that its key proves', async () => {
    const name = `walk-${namespace()}`;
    await ok(kubectl(['create', 'secret', 'generic', name, '-n', INSTALL, `--from-literal=secret=${KEY}`]));
    try {
      await ok(
        kubectl(['label', 'secret', name, '-n', INSTALL, 'agenttier.io/secret-purpose=webhook-subscription']),
      );
      await ok(
        kubectl(['annotate', 'secret', name, '-n', INSTALL, `agenttier.io/subscription=${namespace()}/ci`]),
      );
      const subscription = `
apiVersion: agenttier.io/v1alpha1
kind: WebhookSubscription
metadata:
  name: ci
spec:
  url: ${receiver.url}
  scope: Namespace
  eventTypes: [sandbox.running, share.granted, agent.invoke.completed, sandbox.deleting]
  secretRef:
    name: ${name}
`;
      await ok(apply(subscription, namespace()));
      const read = (): Promise<Json> => getJson(['webhooksubscription', 'ci', '-n', namespace()]);
      await until('the subscription to be known', async () => (await read()).status?.state === 'Active');
      await ok(apply(agent, namespace()));
      await untilPhase('gone', namespace(), 'Running');
      await until('the start to be told', async () => told('sandbox.running'));
      const guest = { identity: 'bob@example.com', level: 'viewer' };
      const shared = await rest('POST', `/sandboxes/gone/share?namespace=${namespace()}`, guest);
      expect(shared.status).toBe(200);
      await until('the share to be told', async () => told('share.granted'));
      await until('the agent to be ready', async () => {
        const { status } = await getJson(['sandbox', 'gone', '-n', namespace()]);
        return status.agentConfigure?.state === 'Ready';
      });
      const answer = await fetch(`${apiUrl}/api/v1/sandboxes/gone/invoke?namespace=${namespace()}`, {
        method: 'POST',
        headers: { 'X-API-Key': apiKey },
        body: 'a task',
      });
      expect(await answer.text()).toContain('did a task');
      await until('the invocation to be told', async () => told('agent.invoke.completed'));
      await ok(kubectl(['delete', 'sandbox', 'gone', '-n', namespace(), '--wait=true', '--timeout=90s']));
      await until('the deletion to be told', async () => told('sandbox.deleting'));
      expect(receiver.received.map(({ body }) => body.event)).toEqual([
        'sandbox.running',
        'share.granted',
        'agent.invoke.completed',
        'sandbox.deleting',
      ]);
      for (const { headers, text } of receiver.received) {
        const signed = `${String(headers['x-agenttier-timestamp'])}.${text}`;
        const expected = createHmac('sha256', KEY).update(signed).digest('hex');
        expect(headers['x-agenttier-signature-v2']).toBe(`sha256=${expected}`);
      }
      await until(
        'all deliveries to be recorded',
        async () => (await read()).status.deliveries?.length === 4,
      );
    } finally {
      await ok(kubectl(['delete', 'secret', name, '-n', INSTALL]));
    }
  });

  it('cannot be made for an address inside the network', async () => {
    const refused = await apply(
      `
apiVersion: agenttier.io/v1alpha1
kind: WebhookSubscription
metadata:
  name: inside
spec:
  url: https://169.254.169.254/
  secretRef:
    name: any
`,
      namespace(),
    );
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('spec.url');
  });
});
