// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakePodExec } from '../../testing/fakePodExec.ts';
import { ANN_KEY, BOB_KEY, Harness, keySecret } from '../../testing/harness.ts';
import { REAL_UID, RealRuntime } from '../../testing/realRuntime.ts';
import { relayInto } from '../../testing/relay.ts';

const OTHER_KEY = 'atk_ann-two-0123456789abcdefghijk';
const TERMINAL_KEY = 'atk_scoped-0123456789abcdefghijkl';

let runtime: RealRuntime;
let podExec: FakePodExec;
let one: Harness;
/** Another replica. */
let two: Harness;

async function start(): Promise<Harness> {
  const harness = await Harness.start({ runtimePort: runtime.port }, { apiServer: podExec.url });
  await harness.add({ name: 'box', uid: REAL_UID });
  await harness.add({ name: 'other' });
  const { apiKeys } = harness.router.stores;
  apiKeys.applyWatch(keySecret(OTHER_KEY, { userId: 'ann' }));
  const scope = { userId: 'ann', sandboxId: 'box', actionGroups: ['terminal'] };
  apiKeys.applyWatch(keySecret(TERMINAL_KEY, scope));
  return harness;
}

beforeAll(async () => {
  runtime = await RealRuntime.start(process.env);
  podExec = await FakePodExec.start();
  [one, two] = await Promise.all([start(), start()]);
  await mkdir(join(runtime.folder, 'src'));
  await writeFile(join(runtime.folder, 'src', 'a b%.txt'), 'text');
}, 120_000);
afterAll(async () => {
  await Promise.all([one.stop(), two.stop()]);
  await podExec.close();
  await runtime.stop();
});

const inWorkspace = (name: string): string => `${runtime.folder}/${name}`;
const ask = (body: object, key = ANN_KEY, id = 'box') =>
  one.call('POST', `/api/v1/sandboxes/${id}/download-tickets`, { key, body });
async function linkTo(body: object, key = ANN_KEY): Promise<string> {
  const answer = await ask(body, key);
  expect(answer.status).toBe(201);
  return answer.body.url as string;
}
const follow = (url: string, harness = one, method = 'GET') => harness.call(method, url, { key: '' });
const INVALID = { status: 401, body: { error: 'invalid_ticket' } };

describe('a link to a download', () => {
  it('gives the file once, on whichever replica, to whoever holds it', async () => {
    const url = await linkTo({ path: inWorkspace('src/a b%.txt') });
    expect((await follow(url, two, 'HEAD')).headers.get('content-length')).toBe('4');
    const answer = await follow(url, two);
    expect([answer.status, answer.body]).toEqual([200, 'text']);
    expect(answer.headers.get('content-disposition')).toContain("filename*=UTF-8''a%20b%25.txt");
    expect(answer.headers.get('cache-control')).toBe('no-store');
    for (const replica of [one, two]) expect(await follow(url, replica)).toMatchObject(INVALID);
  });

  it('gives a folder packed', async () => {
    const pathBase64 = Buffer.from(inWorkspace('src')).toString('base64url');
    const answer = await follow(await linkTo({ pathBase64, format: 'tar' }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-disposition')).toContain('box-src.tar');
    expect(answer.body).toContain('a b%.txt');
  });

  it('is for one path of one sandbox', async () => {
    await writeFile(join(runtime.folder, 'secret'), 'hidden');
    const url = new URL(await linkTo({ path: inWorkspace('src/a b%.txt') }), one.url);
    const elsewhere = (change: (url: URL) => void) => {
      const changed = new URL(url);
      change(changed);
      return follow(changed.pathname + changed.search);
    };
    const secret = Buffer.from(inWorkspace('secret')).toString('base64url');
    expect(await elsewhere(({ searchParams }) => searchParams.set('pathBase64', secret))).toMatchObject(
      INVALID,
    );
    expect(await elsewhere(({ searchParams }) => searchParams.set('format', 'zip'))).toMatchObject(INVALID);
    expect(
      await elsewhere((other) => (other.pathname = other.pathname.replace('/box/', '/other/'))),
    ).toMatchObject(INVALID);
    expect(await elsewhere(({ searchParams }) => searchParams.set('ticket', 'tkt_x.y'))).toMatchObject(
      INVALID,
    );
    expect((await elsewhere(({ searchParams }) => searchParams.delete('ticket'))).status).toBe(401);
    // None of that has used it up.
    expect((await follow(url.pathname + url.search)).body).toBe('text');
  });

  it('is no credential for anything else, nor is another ticket one for it', async () => {
    const url = new URL(await linkTo({ path: inWorkspace('src/a b%.txt') }), one.url);
    const ticket = url.searchParams.get('ticket') ?? '';
    expect((await follow(`/api/v1/sandboxes?ticket=${ticket}`)).status).toBe(401);
    const terminal = await one.call('POST', '/api/v1/sandboxes/box/terminal-tickets');
    url.searchParams.set('ticket', terminal.body.ticket as string);
    expect(await follow(url.pathname + url.search)).toMatchObject(INVALID);
  });

  it('ends with the key that it was got with', async () => {
    const url = await linkTo({ path: inWorkspace('src/a b%.txt') }, OTHER_KEY);
    one.router.stores.apiKeys.deleteWatch(keySecret(OTHER_KEY, { userId: 'ann' }));
    expect(await follow(url)).toMatchObject(INVALID);
  });

  it('is refused to who may not read files, and for what cannot be had', async () => {
    const path = inWorkspace('src/a b%.txt');
    expect((await ask({ path }, BOB_KEY)).status).toBe(404);
    expect((await ask({ path }, TERMINAL_KEY)).status).toBe(403);
    expect((await ask({ path: inWorkspace('none') })).status).toBe(404);
    expect((await ask({ path: '/etc/passwd' })).status).toBe(403);
    expect(await ask({ path: inWorkspace('src') })).toMatchObject({ status: 400 });
    expect(await ask({})).toMatchObject({ status: 400 });
  });

  it('counts once where the runtime is only reached through the API server', async () => {
    const far = await Harness.start({ runtimePort: 1 }, { apiServer: podExec.url });
    try {
      podExec.onExec = relayInto(runtime);
      await far.add({ name: 'box', uid: REAL_UID });
      const url = await linkTo({ path: inWorkspace('src/a b%.txt') });
      expect((await follow(url, far)).body).toBe('text');
      expect(await follow(url, two)).toMatchObject(INVALID);
    } finally {
      await far.stop();
    }
  });
});
