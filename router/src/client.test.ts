// SPDX-License-Identifier: Apache-2.0
import { ApiError, createClient } from '@agenttier/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ANN_KEY, Harness } from './testing/harness.ts';

// The typed client against the router itself: what it was generated from and what answers are one.
let harness: Harness;
beforeAll(async () => void (harness = await Harness.start()));
afterAll(() => harness.stop());

const client = () => createClient({ url: harness.url, apiKey: ANN_KEY });

it('lists, shows and stops', async () => {
  await harness.add({ name: 'box' });
  const { sandboxes } = await client().listSandboxes({ query: { status: 'Running', limit: 10 } });
  expect(sandboxes.map(({ sandboxId }) => sandboxId)).toEqual(['box']);
  expect(await client().stopSandbox({ params: { id: 'box' } })).toEqual({ status: 'stopping' });
  expect(await client().deleteSandbox({ params: { id: 'box' } })).toBeUndefined();
});

it('hears refusals with their violations', async () => {
  const body = { name: 'UPPER', templateRef: { name: '' } };
  const error = await client()
    .createSandbox({ body })
    .catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiError);
  const { violations } = error as ApiError;
  expect(violations.map(({ field }) => field)).toEqual(['name', 'templateRef.name']);
});

it('follows changes, and ends the stream by leaving the loop', async () => {
  const seen: string[] = [];
  for await (const { event, data, id } of await client().followChanges()) {
    expect(id).toMatch(/^[0-9a-f]{12}-\d+$/);
    const { type = '' } = data as { type?: string };
    seen.push(`${event} ${type}`);
    if (event === 'reset') await harness.add({ name: 'seen', phase: 'Stopped' });
    else break;
  }
  expect(seen).toEqual(['reset ', 'sandbox added']);
});

it('is refused more streams than one person may have', async () => {
  const stop = new AbortController();
  const streams = [];
  for (let i = 0; i < 20; i++) {
    const events = (await client().followChanges({}, { signal: stop.signal }))[Symbol.asyncIterator]();
    await events.next();
    streams.push(events);
  }
  await expect(client().followChanges()).rejects.toMatchObject({ status: 429, code: 'concurrency_exceeded' });
  stop.abort();
});
