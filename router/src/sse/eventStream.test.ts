// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { until } from '@agenttier/machinery/testing/until';
import { describe, expect, it } from 'vitest';
import { eventStream } from './eventStream.ts';
import type { OutEvent } from './eventStream.ts';
import { lastEventId, readEvents } from './readEvents.ts';

const streamOf = (events: AsyncIterable<OutEvent>, keepAliveMs?: number): Readable => {
  const { stream } = eventStream(events, keepAliveMs === undefined ? {} : { keepAliveMs });
  if (!stream) throw new Error('no stream');
  return stream;
};

async function* some(...events: OutEvent[]): AsyncGenerator<OutEvent> {
  yield* events;
}

describe('eventStream', () => {
  it('writes one line of JSON per event', async () => {
    const stream = streamOf(
      some({ event: 'log', data: { data: 'a\nb' }, id: 1 }, { event: 'exit', data: 0 }),
    );
    expect(await text(stream)).toBe('id: 1\nevent: log\ndata: {"data":"a\\nb"}\n\nevent: exit\ndata: 0\n\n');
  });

  it('is text/event-stream that no proxy holds back', () => {
    expect(eventStream(some(), { headers: { 'X-Invoke-Id': 'i' } })).toMatchObject({
      status: 200,
      headers: { 'Cache-Control': 'no-cache', 'X-Accel-Buffering': 'no', 'X-Invoke-Id': 'i' },
    });
  });

  it('is kept alive while nothing happens', async () => {
    let goOn = (): void => {};
    const silence = new Promise<void>((resolve) => (goOn = resolve));
    const stream = streamOf(
      (async function* () {
        await silence;
        yield { event: 'exit', data: 1 };
      })(),
      5,
    );
    let seen = '';
    for await (const piece of stream) {
      seen += String(piece);
      if (seen.split(': keepalive\n\n').length > 3) goOn();
    }
    expect(seen).toMatch(/^(: keepalive\n\n){3,}event: exit\ndata: 1\n\n$/);
  });

  it('takes no more from its source than the client has room for, and returns it when the client goes', async () => {
    let taken = 0;
    let isReturned = false;
    const server = createServer((_request, response) => {
      const stream = streamOf(
        (async function* () {
          try {
            for (;;) {
              taken++;
              yield { event: 'log', data: 'x'.repeat(64 * 1024) };
            }
          } finally {
            isReturned = true;
          }
        })(),
      );
      pipeline(stream, response).catch(() => {});
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const gone = new AbortController();
    const answer = await fetch(`http://127.0.0.1:${port}`, { signal: gone.signal });
    expect(answer.ok).toBe(true);
    let before = -1;
    // The sockets' buffers are full when nothing more is taken over a whole look.
    await until(async () => {
      const isSteady = before === taken;
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return isSteady && taken > 0;
    }, 'the source to wait');
    expect(taken).toBeLessThan(1000);
    gone.abort();
    await until(() => isReturned, 'the source to be returned');
    await new Promise((resolve) => server.close(resolve));
  });

  it('is cut when its source fails', async () => {
    const stream = streamOf(
      (async function* () {
        yield { event: 'log', data: 1 };
        throw new Error('the sandbox went away');
      })(),
    );
    await expect(text(stream)).rejects.toThrow('the sandbox went away');
  });
});

describe('readEvents', () => {
  it('reads what was written, also characters that are cut in two', async () => {
    const bytes = Buffer.from('event: log\ndata: "🙂"\n\nevent: lo');
    async function* byteByByte(): AsyncGenerator<Uint8Array> {
      for (const byte of bytes) yield Uint8Array.of(byte);
    }
    const events = [];
    for await (const event of readEvents(byteByByte())) events.push(event);
    expect(events).toEqual([{ event: 'log', data: '"🙂"' }]);
  });

  it('knows what a client has seen', () => {
    expect(lastEventId({ 'last-event-id': '7' }, new URLSearchParams('after=3'))).toBe('7');
    expect(lastEventId({}, new URLSearchParams('after=3'))).toBe('3');
    expect(lastEventId({}, new URLSearchParams())).toBeUndefined();
  });
});
