// SPDX-License-Identifier: Apache-2.0
import { ANNOTATION_TRACEPARENT } from '@agenttier/crds/meta/labels';
import { createTracer } from '@agenttier/machinery/telemetry/spans';
import type { FinishedSpan } from '@agenttier/machinery/telemetry/spans';
import { expect, it } from 'vitest';
import { ALLOW } from './review.ts';
import type { AdmissionRequest } from './review.ts';
import { tracedHandler } from './trace.ts';

const parent = (digit: string): string => `00-${digit.repeat(32)}-${'b'.repeat(16)}-01`;
const object = (traceparent?: string): object => ({
  metadata: { annotations: traceparent === undefined ? {} : { [ANNOTATION_TRACEPARENT]: traceparent } },
});

function request(operation: 'CREATE' | 'UPDATE', now?: string, before?: string): AdmissionRequest {
  return {
    uid: '1',
    kind: { group: 'agenttier.io', version: 'v1alpha1', kind: 'Sandbox' },
    operation,
    name: 'one',
    namespace: 'team',
    userInfo: {},
    object: object(now),
    ...(operation === 'UPDATE' ? { oldObject: object(before) } : {}),
  };
}

async function spanOf(asked: AdmissionRequest, denied = false): Promise<FinishedSpan | undefined> {
  const spans: FinishedSpan[] = [];
  const sink = { add: (span: FinishedSpan) => void spans.push(span), flush: () => Promise.resolve() };
  const violation = { code: 'cpu_limit_exceeded', field: 'spec', message: 'no' } as const;
  const verdict = denied ? { violations: [violation, violation] } : ALLOW;
  const handler = tracedHandler('/mutate/sandboxes', () => verdict, createTracer({ sink }));
  expect(await handler(asked, new AbortController().signal)).toBe(verdict);
  return spans[0];
}

it('admission belongs to the trace that this very write brought', async () => {
  expect((await spanOf(request('CREATE', parent('a'))))?.trace.traceId).toBe('a'.repeat(32));
  expect((await spanOf(request('UPDATE', parent('c'), parent('a'))))?.trace.traceId).toBe('c'.repeat(32));
  // What an earlier request left there.
  expect((await spanOf(request('UPDATE', parent('a'), parent('a'))))?.parentSpanId).toBeUndefined();
  expect((await spanOf(request('CREATE', 'rubbish')))?.parentSpanId).toBeUndefined();
});

it('says what was asked and how it was decided, with codes and without values', async () => {
  expect(await spanOf(request('CREATE'), true)).toMatchObject({
    name: 'webhook.mutate',
    kind: 'server',
    attributes: {
      decision: 'denied',
      codes: 'cpu_limit_exceeded',
      'admission.operation': 'CREATE',
      'sandbox.name': 'one',
    },
  });
});
