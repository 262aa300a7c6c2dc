// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN_KEY, Harness } from './testing/harness.ts';

/** What clients of old rely on, whatever the operation. */

let harness: Harness;
beforeAll(async () => void (harness = await Harness.start()));
afterAll(() => harness.stop());

it('names the methods that a path has to whoever asks with another', async () => {
  const answer = await harness.call('DELETE', '/api/v1/templates', { key: '' });
  expect(answer).toMatchObject({ status: 405, body: { error: 'method not allowed' } });
  expect(answer.headers.get('allow')).toBe('GET, HEAD, POST');
});

it('gives its reference to anybody', async () => {
  const answer = await harness.call('GET', '/api/v1/openapi.json', { key: '' });
  expect(answer).toMatchObject({ status: 200, body: { openapi: '3.1.0' } });
  expect(Object.keys(answer.body.paths)).toContain('/sandboxes/{id}');
});

it.each([
  ['/api/v1/sandboxes', 'sandboxes'],
  ['/api/v1/templates', 'templates'],
  ['/api/v1/governance/policies', 'namespaces'],
  ['/api/v1/user/me', 'groups'],
])('%s has an empty list, never null', async (path, list) => {
  expect((await harness.call('GET', path, { key: ADMIN_KEY })).body[list]).toEqual([]);
});
