// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKubeClient } from '../kube/client.ts';
import type { KubeClient } from '../kube/client.ts';
import { PODS } from '../kube/resource.ts';
import type { KubeObject } from '../kube/resource.ts';
import { cut, list, ScriptedServer, ScriptedWatch, status, statusBody } from '../testing/scriptedServer.ts';
import type { Reply } from '../testing/scriptedServer.ts';
import { until } from '../testing/until.ts';
import { silentLogger } from '../telemetry/log.ts';
import { Backoff } from './backoff.ts';
import { Reflector } from './reflector.ts';
import type { ReflectorOptions } from './reflector.ts';
import { Store } from './store.ts';

const PATH = '/api/v1/pods';
const pod = (name: string, resourceVersion: string): KubeObject => ({
  metadata: { name, namespace: 'ns', uid: `uid-${name}`, resourceVersion },
});
const end = (resourceVersion: string) => ({
  metadata: { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } },
});

let server: ScriptedServer;
let client: KubeClient;
let store: Store<KubeObject>;
let stop: AbortController;
let counted: string[];
let running: Promise<void> | undefined;

beforeEach(async () => {
  server = await ScriptedServer.start();
  client = createKubeClient(server.access());
  store = new Store();
  stop = new AbortController();
  counted = [];
  running = undefined;
});
afterEach(async () => {
  stop.abort();
  await running;
  await client.close();
  await server.close();
});

function start(options: Partial<ReflectorOptions<KubeObject>> = {}): Reflector<KubeObject> {
  const reflector = new Reflector<KubeObject>({
    client,
    resource: PODS,
    store,
    log: silentLogger,
    backoff: { minMs: 5, maxMs: 20 },
    metrics: {
      listed: (reason, items) => counted.push(`listed ${reason} ${items}`),
      watchStarted: () => undefined,
      event: () => undefined,
      failed: (kind) => counted.push(kind),
    },
    ...options,
  });
  running = reflector.run(stop.signal);
  return reflector;
}

const names = (): string[] =>
  store.list().map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
const has = (...expected: string[]): Promise<void> =>
  until(
    () => JSON.stringify(names()) === JSON.stringify(expected),
    `${expected.join()} in the store (is ${names().join()})`,
    5000,
  );

/** Replies to streaming lists, paged lists and continued watches apart; each list of replies is used up in order. */
function script(replies: { stream?: Reply[]; list?: Reply[]; watch?: Reply[] }): void {
  const rest = {
    stream: [...(replies.stream ?? [])],
    list: [...(replies.list ?? [])],
    watch: [...(replies.watch ?? [])],
  };
  server.on('GET', PATH, (response, request) => {
    const watch = request.query.get('watch') === 'true';
    const kind = !watch ? 'list' : request.query.get('sendInitialEvents') ? 'stream' : 'watch';
    const reply = rest[kind].length > 1 ? rest[kind].shift() : rest[kind][0];
    (reply ?? status(500, { message: `unexpected ${kind}` }))(response, request);
  });
}

const watchVersions = (): (string | null)[] =>
  server.requests
    .filter(({ query }) => query.get('watch') === 'true' && !query.get('sendInitialEvents'))
    .map(({ query }) => query.get('resourceVersion'));

const transform = (object: KubeObject): KubeObject => {
  if (object.metadata.name === 'bad') throw new Error('transform');
  return { metadata: object.metadata };
};

/** Without streaming: the paged list, then one watch. */
const paged = status(422, { reason: 'Invalid', message: 'sendInitialEvents is forbidden' });

describe('Reflector', () => {
  it('streams the list, shows it whole, then follows on the same connection', async () => {
    const watch = new ScriptedWatch();
    script({ stream: [watch.reply] });
    const reflector = start();
    const { query } = await watch.opened();
    expect(query.get('resourceVersionMatch')).toBe('NotOlderThan');
    expect(query.get('allowWatchBookmarks')).toBe('true');
    const seconds = Number(query.get('timeoutSeconds'));
    expect(seconds >= 300 && seconds <= 600).toBe(true);
    watch.send('ADDED', pod('a', '1')).send('ADDED', pod('b', '2'));
    watch.send('BOOKMARK', { metadata: { resourceVersion: '2' } });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([names(), reflector.hasSynced()]).toEqual([[], false]);
    watch.send('BOOKMARK', end('9'));
    await reflector.synced();
    expect(names()).toEqual(['a@1', 'b@2']);
    watch.send('MODIFIED', pod('a', '10')).send('DELETED', pod('b', '11'));
    await has('a@10');
    expect(counted).toEqual(['listed start 2']);
  });

  it('falls back to a paged list where streaming is not known', async () => {
    const watch = new ScriptedWatch();
    script({ stream: [paged], list: [list([pod('a', '1')], 'v5')], watch: [watch.reply] });
    await start().synced();
    await watch.opened();
    expect(watchVersions()).toEqual(['v5']);
    watch.send('ADDED', pod('b', 'v6'));
    await has('a@1', 'b@v6');
  });

  it('falls back to a paged list when a stream never comes to its bookmark', async () => {
    const mute = new ScriptedWatch();
    const watch = new ScriptedWatch();
    script({ stream: [mute.reply], list: [list([pod('a', '1')])], watch: [watch.reply] });
    await start({ idleMs: 50 }).synced();
    expect(names()).toEqual(['a@1']);
  });

  it('continues from the last version after a cut, bookmarks included, without a new list', async () => {
    const [first, second, third] = [new ScriptedWatch(), new ScriptedWatch(), new ScriptedWatch()];
    script({
      stream: [paged],
      list: [list([pod('a', '1')], '5')],
      watch: [first.reply, second.reply, third.reply],
    });
    await start().synced();
    await first.opened();
    first.send('ADDED', pod('b', 'opaque-6'));
    await has('a@1', 'b@opaque-6');
    first.raw('{"type":"DELETED","object":{"metadata":{"name":"b"').cut();
    await second.opened();
    second.send('BOOKMARK', { metadata: { resourceVersion: 'opaque-9' } });
    await new Promise((resolve) => setTimeout(resolve, 20));
    second.end();
    await third.opened();
    expect(watchVersions()).toEqual(['5', 'opaque-6', 'opaque-9']);
    expect(names()).toEqual(['a@1', 'b@opaque-6']);
    expect(counted.filter((entry) => entry.startsWith('listed'))).toHaveLength(1);
  });

  it.each<[string, (watch: ScriptedWatch) => Reply]>([
    ['in the status', () => status(410, { reason: 'Expired' })],
    [
      'in the body',
      (watch) => (response, request) => {
        watch.reply(response, request);
        watch.send('ERROR', statusBody(410, { reason: 'Expired' })).end();
      },
    ],
  ])('lists again after 410 %s and tells what has gone', async (_name, expired) => {
    const [first, last] = [new ScriptedWatch(), new ScriptedWatch()];
    const events: string[] = [];
    script({
      stream: [paged],
      list: [list([pod('a', '1'), pod('b', '2')], '5'), list([pod('b', '2'), pod('c', '8')], '9')],
      watch: [first.reply, expired(new ScriptedWatch()), last.reply],
    });
    await start().synced();
    store.subscribe(({ type, object }) => events.push(`${type} ${object.metadata.name}`));
    await first.opened();
    first.end();
    await last.opened();
    expect(events).toEqual(['deleted a', 'added c']);
    expect(watchVersions()).toEqual(['5', '5', '9']);
    expect(counted).toContain('listed expired 2');
  });

  it('lists at once after 410, however long the wait after a fault is by now', async () => {
    const [expired, last] = [new ScriptedWatch(), new ScriptedWatch()];
    script({
      stream: [paged],
      list: [list([pod('a', '1')], '5'), list([pod('b', '8')], '9')],
      watch: [expired.reply, last.reply],
    });
    await start({ backoff: { minMs: 60_000, maxMs: 60_000 } }).synced();
    await expired.opened();
    expired.send('ERROR', statusBody(410, { reason: 'Expired' }));
    await last.opened();
    expect(names()).toEqual(['b@8']);
  });

  it.each<[string, Reply]>([
    ['429', status(429, { retryAfter: '0' })],
    ['503', status(503)],
    ['500', status(500)],
    ['403', status(403, { reason: 'Forbidden' })],
    ['a cut connection', cut],
    [
      'nonsense',
      (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('<html>'),
    ],
  ])('survives %s at every stage', async (_name, bad) => {
    const [first, last] = [new ScriptedWatch(), new ScriptedWatch()];
    script({
      stream: [bad, paged],
      list: [bad, bad, list([pod('a', '1')], '5')],
      watch: [bad, bad, first.reply, bad, last.reply],
    });
    await start().synced();
    await first.opened();
    first.send('ADDED', pod('b', '6'));
    await has('a@1', 'b@6');
    first.cut();
    await last.opened();
    last.send('ADDED', pod('c', '7'));
    await has('a@1', 'b@6', 'c@7');
  });

  it('continues after an error in the body that is not 410', async () => {
    const [first, second] = [new ScriptedWatch(), new ScriptedWatch()];
    script({ stream: [paged], list: [list([], '5')], watch: [first.reply, second.reply] });
    await start().synced();
    await first.opened();
    first.send('ERROR', statusBody(500, { reason: 'InternalError' }));
    await second.opened();
    expect(watchVersions()).toEqual(['5', '5']);
  });

  it('opens a silent connection again', async () => {
    const [silent, second] = [new ScriptedWatch(), new ScriptedWatch()];
    script({ stream: [paged], list: [list([], '5')], watch: [silent.reply, second.reply] });
    await start({ idleMs: 100 }).synced();
    await second.opened();
    second.send('ADDED', pod('a', '6'));
    await has('a@6');
  });

  it('is not stopped by bad objects, throwing handlers or throwing transforms', async () => {
    const watch = new ScriptedWatch();
    script({ stream: [paged], list: [list([pod('bad', '1'), pod('a', '2')], '5')], watch: [watch.reply] });
    store.subscribe(({ object }) => {
      if (object.metadata.name === 'c') throw new Error('handler');
    });
    const errors: unknown[] = [];
    const onError = (error: unknown): void => {
      errors.push(error);
      throw new Error('even this');
    };
    await start({ transform, onError }).synced();
    await watch.opened();
    watch.raw('{"type":"ADDED","object":\n').send('ADDED', pod('bad', '6')).send('ADDED', pod('c', '7'));
    watch.send('ADDED', pod('d', '8'));
    await has('a@2', 'c@7', 'd@8');
    expect(counted.filter((entry) => !entry.startsWith('listed') && entry !== 'watch')).toEqual([
      'transform',
      'unreadable',
      'transform',
      'handler',
    ]);
    expect(errors.length).toBeGreaterThanOrEqual(4);
  });

  it('lists again when an own write never shows up', async () => {
    let now = 0;
    store = new Store({}, { now: () => now });
    const [first, last] = [new ScriptedWatch(), new ScriptedWatch()];
    script({
      stream: [paged],
      list: [list([pod('a', '3')], '5'), list([pod('a', '3')], '9')],
      watch: [first.reply, last.reply],
    });
    await start().synced();
    await first.opened();
    store.applyLocal(pod('a', '2'));
    expect(names()).toEqual(['a@2']);
    now = 61_000;
    first.send('BOOKMARK', { metadata: { resourceVersion: '8' } });
    await has('a@3');
    expect(counted).toContain('listed unconfirmed 1');
  });

  it('never storms: a server that refuses at once is asked ever more rarely', async () => {
    script({ stream: [status(503)], list: [status(503)] });
    start({ backoff: { minMs: 20, maxMs: 100_000 } });
    await new Promise((resolve) => setTimeout(resolve, 400));
    // 20, 40, 80, 160 ms and more; each paged list is itself repeated up to four times.
    expect(server.requests.length).toBeLessThan(15);
  });

  it('waits for what Retry-After says', async () => {
    script({
      stream: [status(429, { retryAfter: '1' }), status(422)],
      list: [list([], '5')],
      watch: [new ScriptedWatch().reply],
    });
    const startedAt = performance.now();
    await start().synced();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
  });

  it('ends with its signal, and tells those who still wait', async () => {
    script({ stream: [status(503)], list: [status(503)] });
    const reflector = start();
    const waiting = expect(reflector.synced()).rejects.toThrow('stopped before it was synced');
    stop.abort();
    await running;
    await waiting;
  });
});

describe('Backoff', () => {
  it('doubles between its bounds and starts over after a reset', () => {
    const low = new Backoff({ minMs: 800, maxMs: 30_000, random: () => 0 });
    expect(Array.from({ length: 7 }, () => low.next())).toEqual([
      800, 1600, 3200, 6400, 12_800, 15_000, 15_000,
    ]);
    low.reset();
    expect(low.next()).toBe(800);
    const high = new Backoff({ minMs: 800, maxMs: 30_000, random: () => 1 });
    expect(Array.from({ length: 7 }, () => high.next()).at(-1)).toBe(30_000);
  });
});
