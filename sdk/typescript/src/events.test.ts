// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { EventParser, readEvents } from './events.ts';

const STREAM =
  ': hello\n\nevent: log\nid: 7\ndata: {"line":"ä"}\n\ndata: two\ndata:  lines\n\nevent: nothing\n\ndata: cut off';
const EVENTS = [
  { event: 'log', data: { line: 'ä' }, id: '7' },
  { event: 'message', data: 'two\n lines', id: '7' },
];

it.each(['\n', '\r\n', '\r'])('reads events whose lines end with %j, in pieces of any size', (end) => {
  const text = STREAM.replaceAll('\n', end);
  for (const size of [1, 2, 3, 7, text.length]) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < text.length; at += size) events.push(...parser.push(text.slice(at, at + size)));
    expect(events, `pieces of ${size}`).toEqual(EVENTS);
  }
});

it('reads characters that two pieces share, and ends the request with the loop', async () => {
  const bytes = new TextEncoder().encode(STREAM);
  let cancelled = false;
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(bytes.slice(at, ++at)),
    cancel: () => void (cancelled = true),
  });
  for await (const event of readEvents(body)) {
    expect(event).toEqual(EVENTS[0]);
    break;
  }
  expect(cancelled).toBe(true);
});
