// SPDX-License-Identifier: Apache-2.0
import { errorFromResponse } from '@agenttier/machinery/kube/errors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY, ANN_KEY, Harness } from '../../testing/harness.ts';

let harness: Harness;
beforeAll(async () => void (harness = await Harness.start()));
afterAll(() => harness.stop());

const PATH = '/api/v1/templates';
const spec = { description: 'a shell', image: { repository: 'shell', tag: '1' } };
const as = (key: string, body?: unknown, headers: Record<string, string> = {}) => ({
  key,
  headers,
  ...(body === undefined ? {} : { body }),
});

describe('templates of the cluster', () => {
  it('are created, shown, replaced and deleted by administrators', async () => {
    const created = await harness.call('POST', PATH, as(ADMIN_KEY, { name: 'one', spec }));
    expect(created).toMatchObject({ status: 201, body: { name: 'one', image: 'shell:1', spec } });
    expect(await harness.call('GET', `${PATH}/one`)).toMatchObject({ status: 200, body: created.body });
    const replaced = await harness.call(
      'PUT',
      `${PATH}/one`,
      as(ADMIN_KEY, { spec: { description: 'new' } }),
    );
    expect(replaced).toMatchObject({ status: 200, body: { description: 'new', image: '' } });
    expect((await harness.call('DELETE', `${PATH}/one`, as(ADMIN_KEY))).status).toBe(204);
    expect((await harness.call('DELETE', `${PATH}/one`, as(ADMIN_KEY))).status).toBe(404);
  });

  it('are nobody else’s to write', async () => {
    for (const [method, path] of [
      ['POST', PATH],
      ['PUT', `${PATH}/one`],
      ['DELETE', `${PATH}/one`],
    ] as const) {
      const body = method === 'DELETE' ? undefined : { name: 'x', spec };
      expect(await harness.call(method, path, as(ANN_KEY, body))).toMatchObject({
        status: 403,
        body: { error: 'admin_required' },
      });
    }
  });

  it('are written in the name of who asks, strictly', async () => {
    await harness.call('POST', PATH, as(ADMIN_KEY, { name: 'named', spec }));
    const [, , , options] = harness.calls.findLast(({ method }) => method === 'create')?.given ?? [];
    expect(options).toMatchObject({ fieldValidation: 'Strict', impersonate: { user: 'agenttier:root' } });
  });

  it('answer 409 while something is made from them', async () => {
    await harness.call('POST', PATH, as(ADMIN_KEY, { name: 'used', spec }));
    const cause = { reason: 'template_in_use', field: 'metadata.name', message: 'used by 1 sandbox' };
    const denial = {
      kind: 'Status',
      message: 'admission webhook "v" denied the request: used by 1 sandbox',
      details: { causes: [cause] },
    };
    harness.api.before = ({ verb }) => {
      if (verb === 'delete') throw errorFromResponse(403, denial);
    };
    const answer = await harness.call('DELETE', `${PATH}/used`, as(ADMIN_KEY));
    harness.api.before = undefined;
    expect(answer).toMatchObject({
      status: 409,
      body: {
        error: 'template_in_use',
        message: 'used by 1 sandbox',
        violations: [{ code: 'template_in_use' }],
      },
    });
  });
});

it('keeps those of a namespace apart', async () => {
  const inTeam = `${PATH}?namespace=team`;
  expect((await harness.call('POST', inTeam, as(ANN_KEY, { name: 'ours', spec }))).body).toMatchObject({
    namespace: 'team',
  });
  expect((await harness.call('GET', `${PATH}/ours`)).status).toBe(404);
  expect((await harness.call('GET', `${PATH}/ours?namespace=team`)).status).toBe(200);
  const [, namespace] = harness.calls.findLast(({ method }) => method === 'create')?.given ?? [];
  expect(namespace).toBe('team');
  const answer = await harness.call('DELETE', `${PATH}/ours?namespace=team`, as(ANN_KEY));
  expect(answer.status).toBe(204);
});

it('refuses a change that was made from an old state, and says what is there now', async () => {
  const created = await harness.call('POST', PATH, as(ADMIN_KEY, { name: 'raced', spec }));
  const old = { 'If-Match': created.headers.get('etag') ?? '' };
  const first = await harness.call(
    'PUT',
    `${PATH}/raced`,
    as(ADMIN_KEY, { spec: { description: '2' } }, old),
  );
  expect(first.status).toBe(200);
  const second = await harness.call(
    'PUT',
    `${PATH}/raced`,
    as(ADMIN_KEY, { spec: { description: '3' } }, old),
  );
  expect(second).toMatchObject({ status: 412, body: { error: 'changed', current: { description: '2' } } });
  expect(await harness.call('DELETE', `${PATH}/raced`, as(ADMIN_KEY, undefined, old))).toMatchObject({
    status: 412,
  });
});

it('lets the last one win where nobody named a state, however close the race', async () => {
  await harness.call('POST', PATH, as(ADMIN_KEY, { name: 'hot', spec }));
  const answers = await Promise.all(
    ['a', 'b', 'c'].map((description) =>
      harness.call('PUT', `${PATH}/hot`, as(ADMIN_KEY, { spec: { description } })),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
});

it('stores nothing in a dry run', async () => {
  const dry = `${PATH}?dryRun=true`;
  expect((await harness.call('POST', dry, as(ADMIN_KEY, { name: 'dry', spec }))).status).toBe(201);
  expect((await harness.call('GET', `${PATH}/dry`)).status).toBe(404);
  await harness.call('POST', PATH, as(ADMIN_KEY, { name: 'stays', spec }));
  const replaced = await harness.call('PUT', `${PATH}/stays?dryRun=true`, as(ADMIN_KEY, { spec: {} }));
  expect(replaced).toMatchObject({ status: 200, body: { image: '' } });
  expect((await harness.call('DELETE', `${PATH}/stays?dryRun=true`, as(ADMIN_KEY))).status).toBe(204);
  expect((await harness.call('GET', `${PATH}/stays`)).body.image).toBe('shell:1');
});

it.each(['..', '%2e%2e', '%2E%2E%2Fsandboxes', 'A'])('finds no template named %s', async (name) => {
  const before = harness.calls.length;
  const answer = await harness.call('PUT', `${PATH}/x`.replace('x', name), as(ADMIN_KEY, { spec }));
  expect([404, 405]).toContain(answer.status);
  expect(harness.calls.slice(before)).toEqual([]);
});

it.each([
  [{ spec }, 'name'],
  [{ name: 'UPPER', spec }, 'name'],
  [{ name: 'x' }, 'spec'],
  [{ name: 'x', spec: 'text' }, 'spec'],
])('refuses %j', async (body, field) => {
  const answer = await harness.call('POST', PATH, as(ADMIN_KEY, body));
  expect(answer).toMatchObject({ status: 400, body: { violations: [{ field }] } });
});
