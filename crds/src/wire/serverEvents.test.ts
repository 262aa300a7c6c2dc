// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfigureEvent, parseInvokeEvent } from './agent.ts';
import { encodeServerEvent, ServerEventParser } from './serverEvents.ts';

describe('server-sent events', () => {
  it('come out as they went in, wherever the text is cut', () => {
    const data = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\n', '\r\n', 'a\rb', ': x', '', '{}'),
    );
    const event = fc.record({ name: fc.constantFrom('log', 'exit'), data, id: fc.nat() });
    fc.assert(
      fc.property(fc.array(event), fc.array(fc.nat({ max: 9 })), (events, cuts) => {
        const text = events
          .map(({ name, data: value, id }) => encodeServerEvent(name, value, id))
          .join(': k\n\n');
        const parser = new ServerEventParser();
        const parsed = piecesOf(text, cuts).flatMap((piece) => parser.push(piece));
        const want = events.map(({ name, data: value, id }) => ({
          id: String(id),
          event: name,
          data: JSON.stringify(value),
        }));
        expect(parsed).toEqual(want);
      }),
    );
  });

  it('are read with every kind of line break, also one that is cut in two', () => {
    const parser = new ServerEventParser();
    const events = ['data: a\r', '\ndata:b\r', '\n\r', '\nevent: x\rdata\r\r', ''].flatMap((p) =>
      parser.push(p),
    );
    expect(events).toEqual([
      { event: 'message', data: 'a\nb' },
      { event: 'x', data: '' },
    ]);
  });

  it('keep the id until another is given, and end no field early', () => {
    const parser = new ServerEventParser();
    const text = encodeServerEvent('a\nb', 1, '7\r\ndata: forged') + encodeServerEvent('c', 2);
    expect(parser.push(text)).toEqual([
      { id: '7data: forged', event: 'ab', data: '1' },
      { id: '7data: forged', event: 'c', data: '2' },
    ]);
  });

  it('without an end are refused', () => {
    const parser = new ServerEventParser();
    const flood = (): void => {
      for (let i = 0; i < 40; i++) parser.push(`data: ${'x'.repeat(1024 * 1024)}\n`);
    };
    expect(flood).toThrow(/no end/);
  });
});

function piecesOf(text: string, cuts: readonly number[]): string[] {
  const pieces: string[] = [];
  let from = 0;
  for (let i = 0; from < text.length; i++) {
    const size = cuts[i % Math.max(1, cuts.length)] ?? text.length;
    pieces.push(text.slice(from, from + size + 1));
    from += size + 1;
  }
  return pieces;
}

describe('events of agents', () => {
  it('are known by name', () => {
    const log = { event: 'log', data: { stream: 'stderr', data: 'ü' } };
    const exit = { event: 'exit', data: { invokeId: 'i', exitCode: 3, durationMs: 5, reason: 'completed' } };
    const start = { event: 'start', data: { invokeId: 'i', startedAt: 5 } };
    for (const one of [log, exit, start]) {
      expect(parseInvokeEvent({ event: one.event, data: JSON.stringify(one.data) })).toEqual(one);
    }
    const error = { event: 'error', data: { phase: 'files', message: 'full' } };
    const result = {
      event: 'result',
      data: {
        lastConfiguredAt: '2026-01-01T00:00:00Z',
        installCommandHash: 'h',
        entrypoint: ['a'],
        installExitCode: 1,
        skipped: true,
      },
    };
    for (const one of [log, error, result]) {
      expect(parseConfigureEvent({ event: one.event, data: JSON.stringify(one.data) })).toEqual(one);
    }
  });

  it('and skipped when they are not', () => {
    for (const data of ['', '{', 'null', '[]', '7']) {
      expect(parseInvokeEvent({ event: 'log', data })).toBeUndefined();
      expect(parseConfigureEvent({ event: 'result', data })).toBeUndefined();
    }
    expect(parseInvokeEvent({ event: 'result', data: '{}' })).toBeUndefined();
    expect(parseConfigureEvent({ event: 'start', data: '{}' })).toBeUndefined();
    expect(parseInvokeEvent({ event: 'exit', data: '{"reason":"gone"}' })).toEqual({
      event: 'exit',
      data: { invokeId: '', exitCode: -1, durationMs: 0, reason: 'error' },
    });
  });
});
