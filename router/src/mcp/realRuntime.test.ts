// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANN_KEY, Harness, keySecret } from '../testing/harness.ts';
import type { Json } from '../testing/harness.ts';
import { mcpCall } from '../testing/mcpClient.ts';
import { REAL_UID, RealRuntime } from '../testing/realRuntime.ts';

const SCOPED_KEY = 'atk_scoped-0123456789abcdefghijkl';
let runtime: RealRuntime;
let harness: Harness;

beforeAll(async () => {
  runtime = await RealRuntime.start(process.env);
  harness = await Harness.start({ runtimePort: runtime.port });
  await harness.add({ name: 'box', uid: REAL_UID, spec: { mode: 'agent' } });
  const scope = { userId: 'ann', sandboxId: 'box', actionGroups: ['files:read'] };
  harness.router.stores.apiKeys.applyWatch(keySecret(SCOPED_KEY, scope));
}, 120_000);
afterAll(async () => {
  await harness.stop();
  await runtime.stop();
});

async function use(name: string, given: object, key = ANN_KEY): Promise<Json> {
  const params = { name, arguments: { sandbox_id: 'box', ...given }, _meta: { progressToken: 'p' } };
  const reply = await mcpCall(harness.url, { 'X-API-Key': key }, { method: 'tools/call', params });
  return { ...reply.body.result, error: reply.body.error, progress: reply.notices };
}

describe('the tools and a real sandbox', () => {
  it('write, read, list, move and delete files, in every kind of name', async () => {
    const path = `${runtime.folder}/a b/100% ü#?.txt`;
    const written = await use('file_write', { path, content: 'hällo\n', mode: '0640' });
    expect(written.structuredContent).toMatchObject({ path, bytes: 7 });
    expect((await use('file_read', { path })).structuredContent).toEqual({
      encoding: 'utf-8',
      content: 'hällo\n',
      bytes: 7,
    });
    const bytes = Buffer.from([0, 255, 1]).toString('base64');
    await use('file_write', { path: `${runtime.folder}/bin`, content: bytes, encoding: 'base64' });
    expect((await use('file_read', { path: `${runtime.folder}/bin` })).structuredContent).toEqual({
      encoding: 'base64',
      content: bytes,
      bytes: 3,
    });
    await use('file_move', { path, to: `${runtime.folder}/a b/moved` });
    const { entries } = (await use('file_list', { path: `${runtime.folder}/a b` })).structuredContent;
    expect(entries).toMatchObject([{ name: 'moved', size: 7, permissions: '0640' }]);
    const gone = await use('file_delete', { path: `${runtime.folder}/a b`, recursive: true });
    expect(gone.structuredContent).toEqual({ done: true });
    expect(await use('file_read', { path })).toMatchObject({
      isError: true,
      structuredContent: { status: 404 },
    });
  });

  it('run commands', async () => {
    const { structuredContent } = await use('sandbox_run_command', {
      command: 'echo out; echo err >&2; exit 3',
    });
    expect(structuredContent).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exitCode: 3 });
  });

  it('keep a key of the sandbox to its groups', async () => {
    await use('file_write', { path: `${runtime.folder}/seen`, content: 'x' });
    const seen = await use('file_read', { path: `${runtime.folder}/seen` }, SCOPED_KEY);
    expect(seen.structuredContent).toMatchObject({ content: 'x' });
    expect((await use('file_write', { path: '/x', content: 'x' }, SCOPED_KEY)).error.code).toBe(-32602);
  });
});
