// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger, silentLogger } from '@agenttier/machinery/telemetry/log';
import type { Logger } from '@agenttier/machinery/telemetry/log';
import { createRegistry } from '@agenttier/machinery/telemetry/metrics';
import { afterEach, describe, expect, it } from 'vitest';
import { createTracer } from '@agenttier/machinery/telemetry/spans';
import { createAdmissionMetrics } from './metrics.ts';
import type { AdmissionReview, Handler } from './review.ts';
import { createAdmissionApp } from './server.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(handler: Handler, options: { deadlineMs?: number; log?: Logger } = {}) {
  const registry = createRegistry('webhook', { processMetrics: false });
  const app = createAdmissionApp({
    tracer: createTracer(),
    handlers: { '/validate/things': handler },
    metrics: createAdmissionMetrics(registry),
    log: options.log ?? silentLogger,
    deadlineMs: options.deadlineMs ?? 1_000,
  });
  const server = createServer(app);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const post = (body: string, path = '/validate/things'): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
  return { post, registry };
}

const review = (request: object = {}): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u-1',
      kind: { group: 'agenttier.io', version: 'v1alpha1', kind: 'Thing' },
      operation: 'CREATE',
      name: 'x',
      userInfo: { username: 'alice' },
      object: { spec: { env: [{ name: 'KEY', value: 'hunter2' }] } },
      ...request,
    },
  });

const denied = {
  violations: [{ code: 'cpu_limit_exceeded', field: 'spec.cpu', message: 'hunter2', scope: 'cluster' }],
} as const;

describe('the admission app', () => {
  it('answers a review with the verdict of the handler', async () => {
    const { post } = await serve(() => ({ violations: [] }));
    const response = await post(review());
    expect(response.status).toBe(200);
    expect(response.headers.get('x-powered-by')).toBeNull();
    expect(((await response.json()) as AdmissionReview).response).toEqual({ uid: 'u-1', allowed: true });
  });

  it.each([
    ['not JSON', '{', 400],
    ['no review', '{"a":1}', 400],
    ['an empty body', '', 400],
  ])('refuses %s', async (_what, body, status) => {
    const { post } = await serve(() => ({ violations: [] }));
    expect((await post(body)).status).toBe(status);
  });

  it('takes an object and its predecessor of the largest size that etcd stores', async () => {
    const { post } = await serve(() => ({ violations: [] }));
    const large = { spec: { blob: 'x'.repeat(1_500_000) } };
    expect((await post(review({ object: large, oldObject: large }))).status).toBe(200);
    expect((await post(review({ object: { blob: 'x'.repeat(9_000_000) } }))).status).toBe(413);
  });

  it('knows no other path', async () => {
    const { post } = await serve(() => ({ violations: [] }));
    expect((await post(review(), '/validate/nothing')).status).toBe(404);
  });

  it('refuses in its own words when the deadline passes, and tells the handler', async () => {
    let aborted = false;
    const { post } = await serve(
      (_request, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(new Error('aborted'));
          });
        }),
      { deadlineMs: 20 },
    );
    const { response } = (await (await post(review())).json()) as AdmissionReview;
    expect(response).toMatchObject({ allowed: false, status: { code: 504, reason: 'Timeout' } });
    expect(aborted).toBe(true);
  });

  it('refuses, and survives, a handler that throws', async () => {
    const { post, registry } = await serve(() => {
      throw new Error('boom');
    });
    const { response } = (await (await post(review())).json()) as AdmissionReview;
    expect(response).toMatchObject({ allowed: false, status: { code: 500 } });
    expect(response.status?.message).not.toContain('boom');
    expect(await registry.metrics()).toMatch(/agenttier_admission_requests_total\{.*result="error".*\} 1/);
  });

  it('counts requests and violations, but no violations of dry runs', async () => {
    const { post, registry } = await serve(() => denied);
    await post(review());
    await post(review({ dryRun: true }));
    const text = await registry.metrics();
    expect(text).toMatch(
      /agenttier_admission_requests_total\{.*webhook="validate.things",operation="CREATE",result="denied".*\} 2/,
    );
    expect(text).toMatch(
      /agenttier_policy_violations_total\{.*code="cpu_limit_exceeded",scope="cluster".*\} 1/,
    );
    expect(text).toMatch(/agenttier_admission_duration_seconds_bucket\{le="0.001"/);
  });

  it('logs a refusal by field and code, never values', async () => {
    const lines: string[] = [];
    const log = createLogger({
      component: 'webhook',
      destination: { write: (line: string) => void lines.push(line) },
    });
    const { post } = await serve(() => denied, { log });
    await post(review());
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'info',
      violations: ['spec.cpu cpu_limit_exceeded'],
    });
    expect(lines[0]).not.toContain('hunter2');
  });

  it('says nothing at info about what it allows', async () => {
    const lines: string[] = [];
    const log = createLogger({
      component: 'webhook',
      destination: { write: (line: string) => void lines.push(line) },
    });
    const { post } = await serve(() => ({ violations: [] }), { log });
    await post(review());
    expect(lines).toEqual([]);
  });
});
