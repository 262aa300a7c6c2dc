// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION_TRACEPARENT } from '@agenttier/crds/meta/labels';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { createTracer } from '@agenttier/machinery/telemetry/spans';
import type { FinishedSpan } from '@agenttier/machinery/telemetry/spans';
import { expect, it } from 'vitest';
import { createAnnouncer } from '../announce.ts';
import { sandbox, T0 } from '../testing/fixtures.ts';
import { startSpan } from './trace.ts';

const TRACE = 'a'.repeat(32);
const annotations = { [ANNOTATION_TRACEPARENT]: `00-${TRACE}-${'b'.repeat(16)}-01` };

it('work on a start belongs to the request that asked for it, and other work to none', () => {
  const asked = sandbox({ annotations });
  expect(startSpan(asked)?.parent).toMatchObject({ traceId: TRACE, spanId: 'b'.repeat(16) });
  expect(startSpan({ ...asked, status: { phase: 'Running' } })).toBeUndefined();
  expect(startSpan(sandbox())).toBeUndefined();
});

it('a start that is over is one span with its phases below it, end to end', () => {
  const spans: FinishedSpan[] = [];
  const sink = { add: (span: FinishedSpan) => void spans.push(span), flush: () => Promise.resolve() };
  const recorder = { record: () => undefined, flush: () => Promise.resolve(), dropped: 0 };
  const announce = createAnnouncer({ recorder, log: silentLogger, tracer: createTracer({ sink }) });
  const startup = { path: 'cold', admittedAt: new Date(T0).toISOString(), totalMs: 812 } as const;
  const tally = {
    metric: 'startup',
    path: 'cold',
    template: 'base',
    seconds: 0.812,
    phases: [
      ['schedule', 0.3],
      ['ready', 0.512],
    ],
  } as const;
  announce({ ...sandbox({ annotations }), status: { phase: 'Running', startup } }, [], [tally]);
  const [whole, schedule, ready] = spans;
  expect(spans.map(({ name }) => name)).toEqual([
    'sandbox.start',
    'sandbox.start.schedule',
    'sandbox.start.ready',
  ]);
  expect(spans.every(({ trace }) => trace.traceId === TRACE)).toBe(true);
  expect(whole).toMatchObject({ parentSpanId: 'b'.repeat(16), startedAt: T0, endedAt: T0 + 812 });
  expect(schedule).toMatchObject({ parentSpanId: whole?.trace.spanId, startedAt: T0, endedAt: T0 + 300 });
  expect(ready).toMatchObject({ startedAt: T0 + 300, endedAt: T0 + 812 });
});
