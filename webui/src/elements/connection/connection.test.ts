// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { barriers, dress, FakeServer, show, until } from '../../testing/page.ts';
import './connection.ts';

describe('agenttier-connection', () => {
  it.each(['light', 'dark'] as const)(
    'says that the server is away until it is back, in the %s theme',
    async (theme) => {
      const streams: ReadableStreamDefaultController[] = [];
      let up = true;
      const fake = new FakeServer().on('GET /events/stream', () =>
        up
          ? new Response(new ReadableStream({ start: (control) => void streams.push(control) }))
          : new Response('', { status: 503 }),
      );
      const element = document.createElement('agenttier-connection');
      element.server = fake.server;
      dress(element, theme);
      const told: boolean[] = [];
      element.addEventListener('agenttier-connection', (event) =>
        told.push((event as CustomEvent<{ connected: boolean }>).detail.connected),
      );
      await show(element);
      const first = await until('the stream', () => streams[0]);
      up = false;
      first.error(new Error('cut'));
      const note = () => element.shadowRoot?.querySelector('.note');
      const shown = await until('the note', note);
      expect(shown.textContent).toBe('The server cannot be reached. Trying again; what is shown may be old.');
      expect(await barriers(element)).toEqual([]);
      up = true;
      await until('nothing to say', () => note() === null);
      expect(told).toEqual([false, true]);
    },
  );
});
