// SPDX-License-Identifier: Apache-2.0
import { ANSWERS } from './answers.ts';

const NOTES = 'GET /sandboxes/notebook/files/workspace/notes.txt';

/** Answers like a server that has the examples' world and leaves it as it is. No request leaves the page. */
export const exampleFetch: typeof fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input, globalThis.location.href);
  const asked = `${init?.method ?? 'GET'} ${url.pathname.replace('/api/v1', '')}`;
  return Promise.resolve(answerTo(asked));
};

function answerTo(asked: string): Response {
  if (asked === 'GET /events/stream') {
    // It stands and tells nothing.
    return new Response(new ReadableStream(), { headers: { 'Content-Type': 'text/event-stream' } });
  }
  if (asked === NOTES) return new Response('A note.\n', { headers: { ETag: '"1"' } });
  const answer = ANSWERS[asked];
  if (answer !== undefined) return Response.json(answer);
  const message = asked.startsWith('GET ')
    ? 'The example has nothing here.'
    : 'This is an example: nothing is changed.';
  return Response.json({ error: 'example', message }, { status: asked.startsWith('GET ') ? 404 : 403 });
}
