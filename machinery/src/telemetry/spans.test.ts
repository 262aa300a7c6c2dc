// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogger, silentLogger } from './log.ts';
import { exportSettings, tracerFromEnvironment } from './otelEnvironment.ts';
import { createTracer } from './spans.ts';
import type { FinishedSpan, SpanSink } from './spans.ts';
import { currentTrace, parseTraceparent } from './tracing.ts';

class Kept implements SpanSink {
  readonly spans: FinishedSpan[] = [];

  add(span: FinishedSpan): void {
    this.spans.push(span);
  }

  async flush(): Promise<void> {
    // Nothing is on its way.
  }
}

describe('spans', () => {
  it('nest, fail with their work, and belong to one trace', async () => {
    const sink = new Kept();
    const tracer = createTracer({ sink });
    const work = tracer.span('outer', { kind: 'server', attributes: { a: 1 } }, async (outer) => {
      outer.set({ b: 'x' });
      await tracer.span('inner', {}, () => Promise.reject(new Error('no')));
    });
    await expect(work).rejects.toThrow('no');
    const [inner, outer] = sink.spans;
    expect(inner).toMatchObject({
      name: 'inner',
      kind: 'internal',
      error: 'no',
      parentSpanId: outer?.trace.spanId,
    });
    expect(outer).toMatchObject({ name: 'outer', kind: 'server', error: 'no', attributes: { a: 1, b: 'x' } });
    expect(outer?.parentSpanId).toBeUndefined();
    expect(inner?.trace.traceId).toBe(outer?.trace.traceId);
    expect(inner?.startedAt).toBeGreaterThanOrEqual(outer?.startedAt ?? Infinity);
    expect(currentTrace()).toBeUndefined();
  });

  it('go on with the trace of the caller, and with its decision', async () => {
    const sink = new Kept();
    const tracer = createTracer({ sink, ratio: 0 });
    const [kept, left] = ['01', '00'].map((flags) =>
      parseTraceparent(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}`),
    );
    tracer.begin('kept', { parent: kept }).end();
    tracer.begin('left', { parent: left }).end();
    tracer.begin('fresh').end();
    expect(sink.spans.map(({ name }) => name)).toEqual(['kept']);
    expect(sink.spans[0]).toMatchObject({ parentSpanId: 'b'.repeat(16), trace: { traceId: 'a'.repeat(32) } });
  });

  it('put their ids on log lines, also where they go nowhere', async () => {
    const lines: string[] = [];
    const log = createLogger({ component: 'test', destination: { write: (line) => lines.push(line) } });
    const tracer = createTracer();
    expect(tracer.enabled).toBe(false);
    const trace = await tracer.span('x', {}, async (span) => {
      log.info('inside');
      return span.trace;
    });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ trace_id: trace.traceId, span_id: trace.spanId });
  });
});

describe('the standard variables', () => {
  it('ask for nothing without an endpoint, and can switch it off', () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
    expect(exportSettings('router', {})).toBeUndefined();
    expect(exportSettings('router', { ...endpoint, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
    expect(exportSettings('router', { ...endpoint, OTEL_TRACES_EXPORTER: 'none' })).toBeUndefined();
  });

  it('say where spans go, with what, as whom and how many', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x, tenant=a',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test,service.name=other',
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    };
    expect(exportSettings('router', env)).toEqual({
      url: 'http://collector:4318/v1/traces',
      headers: { authorization: 'Bearer x', tenant: 'a' },
      resource: { 'deployment.environment': 'test', 'service.name': 'agenttier-router' },
      ratio: 0.25,
    });
    const own = { ...env, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces/x', OTEL_SERVICE_NAME: 'mine' };
    expect(exportSettings('router', own)).toMatchObject({
      url: 'http://traces/x',
      resource: { 'service.name': 'mine' },
    });
  });

  it('that cannot be used are named', () => {
    const problems: string[] = [];
    expect(exportSettings('router', { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' }, problems)).toBeUndefined();
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_TRACES_SAMPLER: 'sometimes',
    };
    expect(exportSettings('router', env, problems)?.ratio).toBe(1);
    expect(problems.length).toBe(3);
  });
});

describe('the collector', () => {
  const bodies: unknown[] = [];
  const seen: (string | undefined)[] = [];
  let server: Server;
  let status = 200;

  beforeEach(async () => {
    bodies.length = 0;
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push(`${request.method} ${request.url} ${request.headers['content-type']}`);
        bodies.push(JSON.parse(Buffer.concat(chunks).toString()));
        response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => new Promise<void>((resolve) => server.close(() => resolve())));

  const tracer = () => {
    const { port } = server.address() as AddressInfo;
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` };
    return tracerFromEnvironment('router', env, silentLogger);
  };

  it('gets spans in the form of OTLP/HTTP JSON', async () => {
    const ours = await tracer();
    const root = ours.begin('router.POST', {
      kind: 'server',
      attributes: { code: 201, ok: true, share: 0.5, none: undefined },
    });
    ours.record(
      { name: 'phase', startedAt: 1_764_000_000_000.5, endedAt: 1_764_000_000_812, attributes: {} },
      root.trace,
    );
    root.end();
    await ours.flush();
    expect(seen).toEqual(['POST /v1/traces application/json']);
    expect(bodies).toMatchObject([
      {
        resourceSpans: [
          {
            resource: { attributes: [{ key: 'service.name', value: { stringValue: 'agenttier-router' } }] },
            scopeSpans: [
              {
                spans: [
                  {
                    name: 'phase',
                    parentSpanId: root.trace.spanId,
                    startTimeUnixNano: '1764000000000500000',
                    endTimeUnixNano: '1764000000812000000',
                  },
                  {
                    name: 'router.POST',
                    traceId: root.trace.traceId,
                    spanId: root.trace.spanId,
                    kind: 2,
                    attributes: [
                      { key: 'code', value: { intValue: '201' } },
                      { key: 'ok', value: { boolValue: true } },
                      { key: 'share', value: { doubleValue: 0.5 } },
                    ],
                  },
                ],
              },
            ],
          },
        ],
      },
    ]);
  });

  it('that refuses costs the spans and nothing else', async () => {
    status = 503;
    const ours = await tracer();
    ours.begin('lost').end();
    await expect(ours.flush()).resolves.toBeUndefined();
    status = 200;
  });
});
