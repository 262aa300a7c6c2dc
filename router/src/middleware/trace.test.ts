// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTracer } from '@agenttier/machinery/telemetry/spans';
import type { FinishedSpan } from '@agenttier/machinery/telemetry/spans';
import { currentTrace } from '@agenttier/machinery/telemetry/tracing';
import express from 'express';
import { expect, it } from 'vitest';
import { traceRequests } from './trace.ts';

it('a request is a span of the caller’s trace, and its answer names it', async () => {
  const spans: FinishedSpan[] = [];
  const sink = { add: (span: FinishedSpan) => void spans.push(span), flush: () => Promise.resolve() };
  const app = express();
  app.use(traceRequests(createTracer({ sink })));
  app.get('/things/:id', (_request, response) => {
    response.locals['route'] = '/things/:id';
    response.status(201).json({ trace: currentTrace() });
  });
  app.get('/healthz', (_request, response) => void response.json({ trace: currentTrace() ?? null }));
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const answer = await fetch(`${url}/things/7`, { headers: { traceparent } });
    const { trace } = (await answer.json()) as { trace: { traceId: string; spanId: string } };
    expect(answer.headers.get('traceresponse')).toBe(`00-${'a'.repeat(32)}-${trace.spanId}-01`);
    await expect.poll(() => spans.length).toBe(1);
    expect(spans[0]).toMatchObject({
      name: 'router.GET',
      kind: 'server',
      parentSpanId: 'b'.repeat(16),
      trace,
      attributes: { 'http.route': '/things/:id', 'http.response.status_code': 201 },
    });
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ trace: null });
    expect(spans.length).toBe(1);
  } finally {
    server.close();
  }
});
