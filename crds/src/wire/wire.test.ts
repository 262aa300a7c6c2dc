// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorBody, PROBLEMS, problemStatus, problemText, type ProblemCode } from './problem.ts';
import {
  clampSize,
  encodeFrame,
  parseClientControl,
  parseClientFrameV1,
  parseServerControl,
  parseServerFrameV1,
  type ClientFrameV1,
  type ServerControl,
  type ServerFrameV1,
} from './terminal.ts';

describe('terminal frames', () => {
  const client: ClientFrameV1[] = [
    { type: 'input', data: 'ls\r😀\u0000' },
    { type: 'resize', cols: 80, rows: 24 },
    { type: 'ping' },
    { type: 'auth', ticket: 'tkt_x' },
  ];
  it.each(client)('of a version 1 client: $type', (frame) => {
    expect(parseClientFrameV1(encodeFrame(frame))).toEqual(frame);
  });

  const control: ServerControl[] = [
    { type: 'ready', session: 'main', offset: 7, cols: 80, rows: 24, reset: true },
    { type: 'pong' },
    { type: 'pong', ts: 5 },
    { type: 'heartbeat', ts: 5 },
    { type: 'exit', code: 3 },
    { type: 'exit', code: -1, signal: 'KILL' },
    { type: 'error', message: 'no shell' },
    { type: 'size', cols: 80, rows: 24 },
    { type: 'presence', people: [{ name: 'Ann', mode: 'view' }] },
    { type: 'auth-expiring', expiresAt: '2026-11-24T09:00:00Z' },
    { type: 'auth-renewed' },
    { type: 'auth-renewed', expiresAt: '2026-11-24T09:00:00Z' },
    { type: 'close', reason: 'idle_timeout', code: 4008 },
  ];
  it.each(control)('of a version 2 server: $type', (frame) => {
    expect(parseServerControl(encodeFrame(frame))).toEqual(frame);
  });

  const server: ServerFrameV1[] = [
    { type: 'output', stream: 'stdout', data: 'ü' },
    { type: 'heartbeat', ts: 5 },
    { type: 'close', reason: 'sandbox_stopped', code: 4001 },
    { type: 'error', message: 'x' },
  ];
  it.each(server)('of a version 1 server: $type', (frame) => {
    expect(parseServerFrameV1(encodeFrame(frame))).toEqual(frame);
  });

  it('people who are no people are left out', () => {
    expect(parseServerControl('{"type":"presence","people":[null,{"mode":"root"}]}')).toEqual({
      type: 'presence',
      people: [{ name: '', mode: 'control' }],
    });
    expect(parseServerControl('{"type":"presence","people":1}')).toBeUndefined();
  });

  it('input is no control frame, and ready no frame of version 1', () => {
    expect(parseClientControl('{"type":"input","data":"x"}')).toBeUndefined();
    for (const type of ['ready', 'size', 'auth-renewed']) {
      expect(parseServerFrameV1(`{"type":"${type}"}`)).toBeUndefined();
    }
  });

  it('sizes are brought into the range of a terminal', () => {
    expect(clampSize(0, 100_000)).toEqual({ cols: 1, rows: 65_535 });
    expect(clampSize(80.9, -3)).toEqual({ cols: 80, rows: 1 });
    expect(clampSize('80', undefined)).toEqual({ cols: 120, rows: 40 });
    expect(clampSize(Number.NaN, Infinity)).toEqual({ cols: 120, rows: 65_535 });
  });

  it('anything else is skipped without a fuss', () => {
    for (const text of [
      '',
      '{',
      'null',
      '[]',
      '"input"',
      '{"type":5}',
      '{"type":"constructor"}',
      '{"type":"input","data":1}',
    ]) {
      expect(parseClientFrameV1(text)).toBeUndefined();
      expect(parseServerFrameV1(text)).toBeUndefined();
      expect(parseServerControl(text)).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.json(), (text) => {
        parseClientFrameV1(text);
        parseServerFrameV1(text);
        parseServerControl(text);
      }),
    );
  });
});

describe('problems', () => {
  it('have the shape that clients read', () => {
    const violations = [{ code: 'timeout_exceeded', field: 'spec.timeout', message: 'too long' }] as const;
    expect(errorBody('policy_violation', { message: 'too long', violations })).toEqual({
      error: 'policy_violation',
      message: 'too long',
      violations,
    });
    expect(errorBody('rate_limited', { extra: { retryAfter: 3 } })).toEqual({
      error: 'rate_limited',
      retryAfter: 3,
    });
    expect(errorBody('not found')).toEqual({ error: 'not found' });
  });

  it('have a status each', () => {
    for (const code of Object.keys(PROBLEMS) as ProblemCode[])
      expect(problemStatus(code)).toBeGreaterThanOrEqual(400);
  });

  it('always leave a sentence to show', () => {
    expect(problemText(403, { error: 'policy_violation', message: 'too long' })).toBe('too long');
    expect(problemText(404, { error: 'sandbox not found' })).toBe('sandbox not found');
    expect(problemText(404, '404 page not found\n')).toBe('404 page not found');
    expect(problemText(502, undefined)).toBe('the server answered with status 502');
    expect(problemText(502, { error: 5 })).toBe('the server answered with status 502');
  });
});
