// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedServer, ScriptedWatch, silence, status } from '../testing/scriptedServer.ts';
import { createKubeClient } from './client.ts';
import type { KubeClient, WatchEvent } from './client.ts';
import { KubeError } from './errors.ts';
import { PODS } from './resource.ts';
import { parseWatchLine } from './watch.ts';

const PATH = '/api/v1/pods';
const pod = (name: string, version: string) => ({ metadata: { name, resourceVersion: version } });

let server: ScriptedServer;
let client: KubeClient;

beforeEach(async () => {
  server = await ScriptedServer.start();
  client = createKubeClient(server.access());
});
afterEach(async () => {
  await client.close();
  await server.close();
});

/** Everything a watch yields and how it ends. */
async function drain(events: AsyncIterable<WatchEvent>): Promise<{ events: WatchEvent[]; error: unknown }> {
  const seen: WatchEvent[] = [];
  try {
    for await (const event of events) seen.push(event);
    return { events: seen, error: undefined };
  } catch (error) {
    return { events: seen, error };
  }
}

describe('watch', () => {
  it('asks for bookmarks and continues from the version as given', async () => {
    const watch = new ScriptedWatch();
    server.on('GET', PATH, watch.reply);
    const done = drain(
      client.watch(PODS, { resourceVersion: 'opaque/7', timeoutSeconds: 301, labelSelector: 'a=b' }),
    );
    const { query } = await watch.opened();
    expect(Object.fromEntries(query)).toEqual({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: 'opaque/7',
      timeoutSeconds: '301',
      labelSelector: 'a=b',
    });
    watch.end();
    expect(await done).toEqual({ events: [], error: undefined });
  });

  it('drops a half last line and reports the cut', async () => {
    const watch = new ScriptedWatch();
    server.on('GET', PATH, watch.reply);
    const done = drain(client.watch(PODS, {}));
    await watch.opened();
    watch.send('ADDED', pod('a', '1')).raw('{"type":"ADDED","object":{"metadata":{"name":"b"');
    setTimeout(() => watch.cut(), 30);
    const { events, error } = await done;
    expect(events).toEqual([{ type: 'ADDED', object: pod('a', '1') }]);
    expect(error).toMatchObject({ status: 0, reason: 'NetworkError' });
  });

  it('drops a half last line at an orderly end, too', async () => {
    const watch = new ScriptedWatch();
    server.on('GET', PATH, watch.reply);
    const done = drain(client.watch(PODS, {}));
    await watch.opened();
    watch.raw('{"type":"ADDED","object":{"metadata":{"name":"b"}}}').end();
    expect(await done).toEqual({ events: [], error: undefined });
  });

  it('joins lines and characters that come in pieces', async () => {
    const watch = new ScriptedWatch();
    server.on('GET', PATH, watch.reply);
    const done = drain(client.watch(PODS, {}));
    await watch.opened();
    const bytes = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: pod('🦊é', '1') })}\n`);
    for (const byte of bytes) {
      watch.raw(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    watch.end();
    expect((await done).events).toEqual([{ type: 'ADDED', object: pod('🦊é', '1') }]);
  });

  it('goes on after a line that is no event', async () => {
    const watch = new ScriptedWatch();
    server.on('GET', PATH, watch.reply);
    const done = drain(client.watch(PODS, {}));
    await watch.opened();
    watch.raw('nonsense\n{"type":"ADDED"}\n\n').send('DELETED', pod('a', '2')).end();
    const { events } = await done;
    expect(events.map(({ type }) => type)).toEqual(['UNREADABLE', 'UNREADABLE', 'DELETED']);
  });

  it('gives up on a connection that says nothing', async () => {
    const watch = new ScriptedWatch();
    server.on('GET', PATH, watch.reply);
    const { error } = await drain(client.watch(PODS, {}, { idleMs: 100 }));
    expect(error).toMatchObject({ status: 0, reason: 'NetworkError' });
  });

  it('gives up on a server that does not even begin to answer', async () => {
    server.on('GET', PATH, silence);
    const { error } = await drain(client.watch(PODS, {}, { timeoutMs: 100 }));
    expect(error).toMatchObject({ status: 0, reason: 'NetworkError' });
  });

  it('fails with the status of a refusal', async () => {
    server.on('GET', PATH, status(410, { reason: 'Expired' }));
    const { error } = await drain(client.watch(PODS, { resourceVersion: '1' }));
    expect(error).toBeInstanceOf(KubeError);
    expect(error).toMatchObject({ status: 410, reason: 'Expired' });
  });

  it('ends with the reason of its signal', async () => {
    const watch = new ScriptedWatch();
    server.on('GET', PATH, watch.reply);
    const stop = new AbortController();
    const done = drain(client.watch(PODS, {}, { signal: stop.signal }));
    await watch.opened();
    const reason = new Error('enough');
    stop.abort(reason);
    expect((await done).error).toBe(reason);
  });
});

describe('parseWatchLine', () => {
  it.each([
    ['not json', 'UNREADABLE'],
    ['null', 'UNREADABLE'],
    ['{"type":"ADDED","object":null}', 'UNREADABLE'],
    ['{"type":"NEW","object":{"metadata":{}}}', 'UNREADABLE'],
    ['{"type":"MODIFIED","object":{"metadata":null}}', 'UNREADABLE'],
    ['{"type":"ERROR","object":{"kind":"Status","code":410}}', 'ERROR'],
    ['{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}', 'BOOKMARK'],
  ])('%s is %s', (line, type) => {
    expect(parseWatchLine(line).type).toBe(type);
  });
});
