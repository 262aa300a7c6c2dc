// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { KubeError } from '../kube/errors.ts';
import { createLogger } from './log.ts';
import { formatTraceparent, newTrace, parseTraceparent, withTrace } from './tracing.ts';
import { controllerMetrics, createRegistry, reflectorMetrics } from './metrics.ts';

function lines(level?: string) {
  const written: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void written.push(JSON.parse(line) as Record<string, unknown>),
  };
  return { log: createLogger({ component: 'test', level, destination }), written };
}

describe('logger', () => {
  it('writes JSON with time, level in words, component and message', () => {
    const { log, written } = lines();
    log.info({ sandbox: 'a' }, 'hello');
    log.debug('not at this level');
    expect(written).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        component: 'test',
        sandbox: 'a',
        msg: 'hello',
      },
    ]);
  });

  it('hides secrets at several depths', () => {
    const { log, written } = lines();
    log.info(
      { token: 's1', request: { headers: { authorization: 's2' } }, access: { clientKey: 's3' } },
      'x',
    );
    expect(JSON.stringify(written)).not.toMatch(/s[123]"/);
    expect(JSON.stringify(written)).toContain('[redacted]');
  });

  it('tells what an error means, down to its cause', () => {
    const { log, written } = lines();
    const cause = new KubeError({ status: 403, reason: 'Forbidden', message: 'no' });
    log.error({ err: new Error('outer', { cause }) }, 'failed');
    expect(written[0]?.['err']).toMatchObject({
      message: 'outer',
      cause: { type: 'KubeError', status: 403, reason: 'Forbidden', message: 'no' },
    });
  });
});

describe('tracing', () => {
  it('puts the trace of the request on each of its lines', async () => {
    const { log, written } = lines();
    await withTrace({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true }, async () => {
      await Promise.resolve();
      log.info('inside');
    });
    log.info('outside');
    expect(written.map(({ trace_id }) => trace_id)).toEqual(['a'.repeat(32), undefined]);
  });

  it('reads what it writes, and nothing invalid', () => {
    const trace = newTrace();
    expect(parseTraceparent(formatTraceparent(trace))).toEqual(trace);
    const [id, span] = ['a'.repeat(32), 'b'.repeat(16)];
    for (const bad of [
      undefined,
      '',
      `00-${id}-${span}`,
      `ff-${id}-${span}-01`,
      `00-${'0'.repeat(32)}-${span}-01`,
      `00-${id}-${'0'.repeat(16)}-01`,
      `00-${id.toUpperCase()}-${span}-01`,
    ]) {
      expect(parseTraceparent(bad)).toBeUndefined();
    }
  });
});

describe('metrics', () => {
  it('counts reflectors and controllers apart', async () => {
    const registry = createRegistry('test', { processMetrics: false });
    const reflector = reflectorMetrics(registry)('pods');
    reflector.listed('start', 3);
    reflector.event('ADDED');
    reflector.failed('handler');
    const controller = controllerMetrics(registry)('sandbox');
    controller.depth(4);
    controller.waited(20);
    controller.reconciled('success', 0.1);
    controller.reconciled('error', 0.1);
    const text = await registry.metrics();
    expect(text).toContain('agenttier_reconcile_errors_total{controller="sandbox",component="test"} 1');
    for (const line of [
      'agenttier_reflector_lists_total{resource="pods",reason="start",component="test"} 1',
      'agenttier_reflector_failures_total{resource="pods",kind="handler",component="test"} 1',
      'agenttier_queue_depth{controller="sandbox",component="test"} 4',
      'agenttier_reconcile_duration_seconds_count{component="test",controller="sandbox",result="success"} 1',
    ]) {
      expect(text).toContain(line);
    }
  });

  it('has the figures of the process', async () => {
    expect(await createRegistry('test').metrics()).toContain('process_resident_memory_bytes');
  });
});
