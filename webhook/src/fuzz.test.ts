// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { KubeError } from '@agenttier/machinery/kube/errors';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { createRegistry } from '@agenttier/machinery/telemetry/metrics';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';
import { createTracer } from '@agenttier/machinery/telemetry/spans';
import { createAdmissionMetrics } from './metrics.ts';
import type { AdmissionReview } from './review.ts';
import { createHandlers } from './routes.ts';
import { createAdmissionApp } from './server.ts';
import { cluster, clusterPolicy, lookupScene } from './testing/lookupScene.ts';

/** Bounded by number, so that a run takes seconds and means the same on every machine. */
const RUNS = 1_000;

const base = cluster('base', { image: { repository: 'ghcr.io/acme/base' } });
const { lookup } = lookupScene({ stored: [base], live: [base], policies: [clusterPolicy({ maxCpu: '2' })] });

/** An API server that knows nothing: every Secret, pod and account is missing, and nobody has a right. */
const gone = (): Promise<never> =>
  Promise.reject(new KubeError({ status: 404, reason: 'NotFound', message: 'gone' }));
const client = {
  get: gone,
  raw: gone,
  create: () => Promise.resolve({ status: {} }),
} as unknown as KubeClient;
const handlers = createHandlers(readConfig({ POD_NAME: 'p' }), lookup, { client, log: silentLogger });

let server: Server;
let url = '';
beforeAll(async () => {
  const app = createAdmissionApp({
    tracer: createTracer(),
    handlers,
    metrics: createAdmissionMetrics(createRegistry('webhook', { processMetrics: false })),
    log: silentLogger,
    deadlineMs: 2_000,
  });
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const post = (path: string, body: string | Uint8Array<ArrayBuffer>): Promise<Response> =>
  fetch(`${url}${path}`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });

const paths = fc.constantFrom(...Object.keys(handlers));

/** Field names that the handlers read, so that odd values get where they are looked at. */
const FIELDS = `
  metadata spec status labels annotations finalizers name namespace uid templateRef image
  repository resources limits requests cpu storage size network env credentials secretName
  sidecars initContainers volumeMounts sharing users groups createdBy sub resolved chain
  desiredState inheritsFrom harness maxCpu containers agenttier.io/sandbox __proto__ constructor
  toString length
`
  .trim()
  .split(/\s+/);
const SCALARS = ['', 'base', '1Gi', '-1', '1e999', '\u0000', 'ghcr.io/a@sha256:x', 'Stopped', '🦊', '/../x'];

const { anything } = fc.letrec<{ anything: unknown }>((tie) => ({
  anything: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(...SCALARS, null, true, 0, -1, 1e308, 2 ** 53),
    fc.jsonValue({ maxDepth: 1 }),
    fc.array(tie('anything'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...FIELDS), tie('anything'), { maxKeys: 6 }),
  ),
}));

/** Something near a sandbox, a template, a policy or a pod. */
const objects = fc.oneof(
  fc.constant(null),
  anything,
  fc.record({
    metadata: fc.oneof(
      fc.record({ name: fc.constant('dev'), labels: anything, annotations: anything }),
      anything,
    ),
    spec: fc.oneof(
      fc.dictionary(fc.constantFrom(...FIELDS), anything, { maxKeys: 8 }),
      fc.record({
        templateRef: fc.constant({ name: 'base' }),
        env: anything,
        sidecars: anything,
        credentials: anything,
      }),
    ),
    status: anything,
  }),
);

const requests = fc.record(
  {
    uid: fc.uuid(),
    kind: fc.constant({ group: 'agenttier.io', version: 'v1alpha1', kind: 'Sandbox' }),
    operation: fc.constantFrom('CREATE', 'UPDATE', 'DELETE', 'CONNECT'),
    userInfo: fc.oneof(
      fc.constant({ username: 'agenttier:ann', groups: ['agenttier:users'] }),
      fc.record({ username: fc.string(), groups: fc.array(fc.string()) }, { requiredKeys: [] }),
    ),
    name: fc.string(),
    namespace: fc.constantFrom('team-a', ''),
    subResource: fc.constantFrom('exec', 'status', ''),
    dryRun: fc.boolean(),
    object: objects,
    oldObject: objects,
  },
  { requiredKeys: ['uid', 'kind', 'operation', 'userInfo'] },
);

describe('whatever is sent to a webhook', () => {
  it('as a review of odd objects gets an answer with its uid', { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(paths, requests, async (path, request) => {
      const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request };
      const answer = await post(path, JSON.stringify(review));
      expect(answer.status).toBe(200);
      const { response } = (await answer.json()) as AdmissionReview;
      expect(response.uid).toBe(request.uid);
      expect(typeof response.allowed).toBe('boolean');
      // Mutation comes before the schema and must bear anything; what is validated has passed the schema, and a shape
      // that cannot come may be refused as a fault of ours.
      if (path.startsWith('/mutate')) expect(response.allowed).toBe(true);
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  it('as a review whose envelope is odd gets an answer with its uid, or is told what is wrong', {
    timeout: 120_000,
  }, async () => {
    const envelope = fc.record(
      {
        uid: fc.oneof(fc.uuid(), anything),
        kind: anything,
        operation: anything,
        userInfo: anything,
        object: anything,
      },
      { requiredKeys: [] },
    );
    const property = fc.asyncProperty(paths, fc.oneof(envelope, anything), async (path, request) => {
      const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request };
      const answer = await post(path, JSON.stringify(review));
      expect([200, 400]).toContain(answer.status);
      const body = (await answer.json()) as Partial<AdmissionReview> & { error?: string };
      const uid = (request as { uid?: unknown } | null)?.uid;
      if (answer.status === 200) expect(body.response?.uid).toBe(uid);
      else expect(body.error).toBeTypeOf('string');
    });
    await fc.assert(property, { numRuns: RUNS });
  });

  it('as bytes is told that it is no review', { timeout: 120_000 }, async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2_000 }),
      fc.json().map((text) => new TextEncoder().encode(text)),
    );
    const property = fc.asyncProperty(paths, bytes, async (path, body) => {
      const answer = await post(path, new Uint8Array(body));
      expect([400, 413, 415]).toContain(answer.status);
      expect(((await answer.json()) as { error?: string }).error).toBeTypeOf('string');
    });
    await fc.assert(property, { numRuns: RUNS });
  });
});
