// SPDX-License-Identifier: Apache-2.0
import type { Tool } from '@agenttier/crds/mcp/tool';
import { TOOLS } from '@agenttier/crds/mcp/tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../api/contract.ts';
import { ADMIN_KEY, ANN_KEY, BOB_KEY, Harness, keySecret } from '../testing/harness.ts';
import type { Json } from '../testing/harness.ts';
import { mcpCall } from '../testing/mcpClient.ts';
import type { McpReply } from '../testing/mcpClient.ts';
import { routeOf } from './tools.ts';

const SCOPED_KEY = 'atk_scoped-0123456789abcdefghijkl';
let harness: Harness;

const send = (
  method: string,
  params: object = {},
  headers: Record<string, string> = { 'X-API-Key': ANN_KEY },
) => mcpCall(harness.url, headers, { method, params });
const use = (name: string, given: object = {}, key = ANN_KEY): Promise<McpReply> =>
  send('tools/call', { name, arguments: given }, { 'X-API-Key': key });
const listed = async (key: string): Promise<Json[]> =>
  (await send('tools/list', {}, { 'X-API-Key': key })).body.result.tools;

beforeAll(async () => {
  harness = await Harness.start();
  harness.router.stores.apiKeys.applyWatch(
    keySecret(SCOPED_KEY, { userId: 'ann', sandboxId: 'mine', actionGroups: ['run-command', 'stop'] }),
  );
  await harness.add({ name: 'mine' });
  await harness.add({ name: 'other' });
  await harness.add({ name: 'doomed' });
});
afterAll(() => harness.stop());

describe('the table of tools', () => {
  const members = (schema: Json): string[] => Object.keys(schema?.properties ?? {});

  it.each(TOOLS.map((tool): [string, Tool] => [tool.name, tool]))('%s fits its route', (_name, tool) => {
    const route: Json = routeOf(tool);
    expect(ROUTES).toContain(route);
    const inRoute = [...tool.path.matchAll(/[:*](\w+)/g)].map(([, name = '']) => name);
    for (const { in: place, as } of Object.values(tool.arguments)) {
      if (place === 'path') expect(inRoute).toContain(as);
      if (place === 'query') expect(members(route.query)).toContain(as);
      // A route that reads its body by itself says in its summary what that is.
      if (place === 'body' && route.body === 'raw') expect(route.summary).toContain(as);
      else if (place === 'body') expect(members(route.body.schema)).toContain(as.split('.')[0]);
      if (place === 'whole') expect(route.body.schema.type).toBe('object');
      if (place === 'raw') expect(route.body).toBe('raw');
    }
    const given = Object.values(tool.arguments).filter(({ in: place }) => place === 'path');
    expect(given.map(({ as }) => as).sort()).toEqual(inRoute.sort());
  });

  it('has every name once, and says of each what it may do', async () => {
    expect(new Set(TOOLS.map(({ name }) => name)).size).toBe(TOOLS.length);
    const tools = await listed(ADMIN_KEY);
    expect(tools.map(({ name }) => name)).toEqual(TOOLS.map(({ name }) => name));
    const hints = Object.fromEntries(tools.map(({ name, annotations }) => [name, annotations]));
    expect(hints['sandbox_list']).toMatchObject({ readOnlyHint: true, destructiveHint: false });
    expect(hints['sandbox_create']).toMatchObject({ readOnlyHint: false, destructiveHint: false });
    expect(hints['sandbox_terminate']).toMatchObject({ readOnlyHint: false, destructiveHint: true });
    expect(hints['sandbox_run_command']).toMatchObject({ destructiveHint: true, openWorldHint: true });
  });

  it('marks nothing as reading that is no GET', () => {
    expect(TOOLS.filter(({ effect, method }) => (effect === 'read') !== (method === 'GET'))).toEqual([]);
  });
});

describe('who may use what', () => {
  it('lets in nobody without a credential, and names what is missing', async () => {
    const { status, body } = await send('tools/list', {}, {});
    expect({ status, error: body.error }).toEqual({ status: 401, error: 'missing_authorization' });
    expect((await send('tools/list', {}, { 'X-API-Key': 'atk_nobody-0123456789abcdefghijk' })).status).toBe(
      401,
    );
  });

  it.each([
    ['a foreign page', 'https://evil.example.com', 403],
    ['a frame without an origin', 'null', 403],
    ['a page of this address', 'own', 200],
  ])('answers %s', async (_who, origin, status) => {
    const headers = { 'X-API-Key': ANN_KEY, Origin: origin === 'own' ? harness.url : origin };
    expect((await send('tools/list', {}, headers)).status).toBe(status);
  });

  it('shows a key of one sandbox its groups, and keeps it to its sandbox', async () => {
    const names = (await listed(SCOPED_KEY)).map(({ name }) => name);
    expect(names).toContain('sandbox_run_command');
    expect(names).toContain('sandbox_stop');
    const others = ['sandbox_list', 'file_read', 'agent_invoke', 'sandbox_terminate', 'apikey_create'];
    expect(names.filter((name) => others.includes(name))).toEqual([]);
    const elsewhere = await use('sandbox_stop', { sandbox_id: 'other' }, SCOPED_KEY);
    expect(elsewhere.body.result).toMatchObject({ isError: true, structuredContent: { status: 403 } });
    const beyond = await use('sandbox_terminate', { sandbox_id: 'mine' }, SCOPED_KEY);
    expect(beyond.body.error.code).toBe(-32602);
  });

  it('shows people no sandbox that is not theirs', async () => {
    const { body } = await use('sandbox_status', { sandbox_id: 'mine' }, BOB_KEY);
    expect(body.result).toMatchObject({ isError: true, content: [{ text: 'sandbox mine not found' }] });
    expect((await use('sandbox_list', {}, BOB_KEY)).body.result.structuredContent).toEqual({ sandboxes: [] });
  });
});

describe('the use of a tool', () => {
  it('is the REST call, as the person', async () => {
    const given = { template: 'shell', name: 'fresh', idle_timeout: '30m', storage_size: null };
    const { body } = await use('sandbox_create', given);
    expect(body.result.structuredContent).toMatchObject({ sandboxId: 'fresh', status: 'Creating' });
    expect(JSON.parse(body.result.content[0].text)).toEqual(body.result.structuredContent);
    const created = harness.calls.filter(({ method }) => method === 'create').at(-1);
    expect(created?.given[3]).toMatchObject({ impersonate: { user: 'agenttier:ann' } });
    expect((await use('sandbox_terminate', { sandbox_id: 'doomed' })).body.result.structuredContent).toEqual({
      done: true,
    });
  });

  it.each([
    [{}, 'sandbox_id is required'],
    [{ sandbox_id: '' }, 'sandbox_id must not be empty'],
    [{ sandbox_id: 7 }, 'sandbox_id must be a string'],
    [
      { sandbox_id: 'mine', force: true },
      'force is not an argument of sandbox_stop; those are: sandbox_id, namespace',
    ],
  ])('with %j tells the model what is wrong', async (given, text) => {
    const { result } = (await use('sandbox_stop', given)).body;
    expect(result).toMatchObject({ isError: true, content: [{ type: 'text', text }] });
  });

  it('fails for a tool that does not exist, and for a method of sessions', async () => {
    expect((await use('sandbox_hack')).body.error.code).toBe(-32602);
    for (const method of ['GET', 'DELETE']) {
      const answer = await fetch(`${harness.url}/mcp`, { method, headers: { 'X-API-Key': ANN_KEY } });
      expect(answer.status).toBe(405);
    }
  });
});
