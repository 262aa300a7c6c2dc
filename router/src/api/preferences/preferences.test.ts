// SPDX-License-Identifier: Apache-2.0
import { CONFIG_MAPS } from '@agenttier/machinery/kube/resource';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ANN_KEY, BOB_KEY, Harness } from '../../testing/harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await Harness.start();
});
afterEach(() => harness.stop());

const call = (method: string, body?: unknown, key = ANN_KEY, headers: Record<string, string> = {}) =>
  harness.call(method, '/api/v1/user/preferences', { key, headers, ...(body === undefined ? {} : { body }) });

describe('preferences', () => {
  it('are one person’s, replaced whole, empty before', async () => {
    expect((await call('GET')).body).toEqual({});
    expect(await call('PUT', { theme: 'dark', nested: { a: [1] } })).toMatchObject({
      status: 200,
      body: { theme: 'dark', nested: { a: [1] } },
    });
    await call('PUT', { theme: 'light' });
    expect((await call('GET')).body).toEqual({ theme: 'light' });
    expect((await call('GET', undefined, BOB_KEY)).body).toEqual({});
  });

  it('with If-Match replace only what was read', async () => {
    await call('PUT', { n: 1 });
    const etag = (await call('GET')).headers.get('etag') ?? '';
    expect((await call('PUT', { n: 2 }, ANN_KEY, { 'If-Match': etag })).status).toBe(200);
    expect((await call('PUT', { n: 3 }, ANN_KEY, { 'If-Match': etag })).status).toBe(412);
    expect((await call('GET')).body).toEqual({ n: 2 });
  });

  it('survive writers at the same time', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map((n) => call('PUT', { n })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  it.each([
    ['a list', []],
    ['a text', '"x"'],
  ])('are never %s', async (_name, body) => {
    expect((await call('PUT', body)).status).toBe(400);
  });

  it('are small', async () => {
    expect((await call('PUT', { big: 'x'.repeat(40_000) })).status).toBe(413);
    expect((await harness.api.list(CONFIG_MAPS)).items).toEqual([]);
  });
});
