// SPDX-License-Identifier: Apache-2.0
import type { News } from '@agenttier/crds/subscription/notices';
import { createRegistry } from '@agenttier/machinery/telemetry/metrics';
import { createTracer } from '@agenttier/machinery/telemetry/spans';
import { expect, it } from 'vitest';
import { noAudit } from '../../../audit.ts';
import { createAgentMetrics } from '../metrics.ts';
import { InvocationRecord } from './record.ts';
import type { Passed } from './relay.ts';

const sandbox = { metadata: { name: 'box', namespace: 'team' } };
const principal = { sub: 'ann', email: '', name: '', groups: [], isAdmin: false };
const none = { stdout: 0, stderr: 0 };

/** What subscribers are told of an invocation that ends like this. */
function toldOf(exit: Passed['exit'], { outlives = false, invokeId = 'inv-1' } = {}) {
  const told: News[] = [];
  const signal = new AbortController().signal;
  const record = new InvocationRecord(
    {
      metrics: createAgentMetrics(createRegistry('router', { processMetrics: false })),
      audit: noAudit,
      tracer: createTracer(),
      touch: () => {},
      tell: (_, news) => void told.push(news),
    },
    { sandbox, call: { principal, sourceIp: '', signal }, outlives },
  );
  if (invokeId) record.started(invokeId);
  record.ended({ invokeId, bytes: none, exit });
  return told.map(({ type, key }) => [type, key]);
}

const STARTED = ['agent.invoke.started', 'inv-1-started'];

it.each([
  ['completed', 0, 'agent.invoke.completed'],
  ['completed', 3, 'agent.invoke.failed'],
  ['canceled', -1, 'agent.invoke.completed'],
  ['timeout', -1, 'agent.invoke.failed'],
] as const)('tells of one that ends as %s with %i', (reason, exitCode, type) => {
  const exit = { reason, exitCode } as NonNullable<Passed['exit']>;
  expect(toldOf(exit)).toEqual([STARTED, [type, 'inv-1-ended']]);
});

it('leaves the end to whoever goes on reading, and tells nothing of what never began', () => {
  expect(toldOf(undefined, { outlives: true })).toEqual([STARTED]);
  expect(toldOf(undefined, { invokeId: '' })).toEqual([]);
});
