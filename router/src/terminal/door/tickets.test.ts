// SPDX-License-Identifier: Apache-2.0
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakePodExec } from '../../testing/fakePodExec.ts';
import { ANN_KEY, BOB_KEY, Harness, keySecret } from '../../testing/harness.ts';
import { REAL_UID, RealRuntime } from '../../testing/realRuntime.ts';
import { refusedUpgrade, TerminalClient } from '../../testing/terminalClient.ts';

const SCOPED_KEY = 'atk_scoped-0123456789abcdefghijkl';
const OTHER_KEY = 'atk_ann-two-0123456789abcdefghijk';

let runtime: RealRuntime;
let one: Harness;
/** Another replica. */
let two: Harness;

beforeAll(async () => {
  runtime = await RealRuntime.start(process.env);
}, 120_000);
afterAll(() => runtime.stop());
beforeEach(async () => {
  [one, two] = await Promise.all([start(), start()]);
});
afterEach(async () => {
  await Promise.all([one.stop(), two.stop()]);
});

const sharing = { users: [{ identity: 'bob', level: 'viewer' as const }] };
const scoped = { userId: 'ann', sandboxId: 'box', actionGroups: ['terminal'] };

async function start(): Promise<Harness> {
  const harness = await Harness.start({ runtimePort: runtime.port });
  await harness.add({ name: 'box', uid: REAL_UID, spec: { createdBy: { sub: 'ann' }, sharing } });
  await harness.add({ name: 'other', spec: { createdBy: { sub: 'ann' } } });
  harness.router.stores.apiKeys.applyWatch(keySecret(SCOPED_KEY, scoped));
  harness.router.stores.apiKeys.applyWatch(keySecret(OTHER_KEY, { userId: 'ann' }));
  return harness;
}

async function issue(key = ANN_KEY, options: { name?: string; body?: unknown } = {}): Promise<string> {
  const path = `/api/v1/sandboxes/${options.name ?? 'box'}/terminal-tickets`;
  const answer = await one.call('POST', path, { key, ...('body' in options ? { body: options.body } : {}) });
  expect(answer.status).toBe(201);
  return answer.body.ticket as string;
}

const url = (ticket: string, harness = one, name = 'box'): string =>
  `${harness.url}/ws/terminal/${name}?session=tickets&ticket=${ticket}`;

const INVALID = { status: 401, body: { error: 'invalid_ticket' } };

describe('a ticket', () => {
  it('opens one terminal, on whichever replica it is used first', async () => {
    const ticket = await issue();
    const client = await TerminalClient.open(url(ticket, two), { key: '' });
    client.type('echo hel"lo"\r');
    await client.shows('hello');
    for (const replica of [one, two]) {
      expect(await refusedUpgrade(url(ticket, replica), { key: '' })).toMatchObject(INVALID);
    }
  });

  it('opens one of twenty terminals that are asked for at once, over two replicas', async () => {
    const ticket = await issue();
    const tries = Array.from({ length: 20 }, async (_, index) =>
      TerminalClient.open(url(ticket, index % 2 === 0 ? one : two), { key: '' }).then(
        () => 'open',
        () => 'refused',
      ),
    );
    expect((await Promise.all(tries)).filter((outcome) => outcome === 'open')).toHaveLength(1);
  });

  it('comes in a sub-protocol, which is never the one that is chosen', async () => {
    const binary = await TerminalClient.open(`${one.url}/ws/terminal/box`, {
      key: '',
      binary: true,
      protocols: [`ticket.${await issue()}`],
    });
    expect(binary.socket.protocol).toBe('agenttier.pty.v2');
    const text = await TerminalClient.open(`${one.url}/ws/terminal/box`, {
      key: '',
      protocols: ['agenttier.pty.v1', `ticket.${await issue()}`],
    });
    expect(text.socket.protocol).toBe('agenttier.pty.v1');
  });

  it('is for its sandbox', async () => {
    const ticket = await issue(ANN_KEY, { name: 'other' });
    expect(await refusedUpgrade(url(ticket), { key: '' })).toMatchObject(INVALID);
  });

  it('of a viewer, or for watching, types nothing', async () => {
    const typist = await TerminalClient.open(url(await issue()), { key: '' });
    const viewers = [await issue(BOB_KEY), await issue(ANN_KEY, { body: { mode: 'view' } })];
    for (const ticket of viewers) {
      const viewer = await TerminalClient.open(`${url(ticket)}&mode=control`, { key: '' });
      viewer.type('echo intru"der"\r');
      viewer.control({ type: 'resize', cols: 11, rows: 11 });
      typist.type('stty size; echo se"en"\r');
      await viewer.shows('seen');
      expect(viewer.output).not.toMatch(/intruder|11 11/);
      viewer.socket.terminate();
    }
  });

  it('is refused where the origin is foreign (cross-site WebSocket hijacking)', async () => {
    const headers = { Origin: 'https://evil.example' };
    const refused = await refusedUpgrade(url(await issue()), { key: '', headers });
    expect(refused).toMatchObject({ status: 403, body: { error: 'origin_not_allowed' } });
  });
});

describe('S1, G-13: a key of one sandbox', () => {
  it('gets a ticket for its sandbox and for no other', async () => {
    const client = await TerminalClient.open(url(await issue(SCOPED_KEY)), { key: '' });
    client.type('echo hel"lo"\r');
    await client.shows('hello');
    const foreign = await one.call('POST', '/api/v1/sandboxes/other/terminal-tickets', { key: SCOPED_KEY });
    expect(foreign.status).toBe(403);
    expect(await refusedUpgrade(`${one.url}/ws/terminal/other`, { key: SCOPED_KEY })).toMatchObject({
      status: 403,
    });
  });

  it('gets none without the group "terminal", nor with a ticket from before it lost it', async () => {
    const ticket = await issue(SCOPED_KEY);
    const less = keySecret(SCOPED_KEY, { ...scoped, actionGroups: ['files:read'] });
    const { apiKeys } = one.router.stores;
    apiKeys.applyWatch({ ...less, metadata: { ...less.metadata, resourceVersion: '99' } });
    const refused = await one.call('POST', '/api/v1/sandboxes/box/terminal-tickets', { key: SCOPED_KEY });
    expect(refused).toMatchObject({
      status: 403,
      body: { error: 'scoped key lacks the "terminal" action group' },
    });
    expect(await refusedUpgrade(url(ticket), { key: '' })).toMatchObject({ status: 403 });
  });
});

describe('the key behind a ticket', () => {
  it('takes the ticket along when it is revoked, and the terminal that it opened', async () => {
    const [used, unused] = [await issue(OTHER_KEY), await issue(OTHER_KEY)];
    const client = await TerminalClient.open(url(used), { key: '' });
    one.router.stores.apiKeys.deleteWatch(keySecret(OTHER_KEY, { userId: 'ann' }));
    expect(await client.end()).toEqual({ code: 4003, reason: 'access_revoked' });
    expect(await refusedUpgrade(url(unused), { key: '' })).toMatchObject(INVALID);
  });
});

describe('a terminal whose credential ends soon', () => {
  const openExpiring = (): Promise<TerminalClient> => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    one.router.stores.apiKeys.applyWatch(keySecret(OTHER_KEY, { userId: 'ann', expiresAt }));
    return TerminalClient.open(`${one.url}/ws/terminal/box`, { key: OTHER_KEY, binary: true });
  };

  it('is told, and goes on with another ticket', async () => {
    const key = keySecret(OTHER_KEY, { userId: 'ann' });
    one.router.stores.apiKeys.deleteWatch(key);
    const client = await openExpiring();
    expect(Date.parse(String((await client.frame('auth-expiring'))['expiresAt']))).toBeGreaterThan(
      Date.now(),
    );
    client.control({ type: 'auth', ticket: await issue(BOB_KEY) });
    expect(await client.frame('error')).toMatchObject({ message: 'this ticket is of somebody else' });
    client.control({ type: 'auth', ticket: await issue(ANN_KEY) });
    expect(await client.frame('auth-renewed')).toEqual({ type: 'auth-renewed' });
    one.router.stores.apiKeys.deleteWatch(key);
    client.type('echo still-he"re"\r');
    await client.shows('still-here');
    one.router.stores.apiKeys.deleteWatch(keySecret(ANN_KEY, { userId: 'ann' }));
    expect(await client.end()).toEqual({ code: 4003, reason: 'access_revoked' });
  });
});

describe('where no runtime can be asked', () => {
  it('its own program in the pod is told of the ticket, and this replica takes it once', async () => {
    const podExec = await FakePodExec.start();
    const harness = await Harness.start({ runtimePort: runtime.port }, { apiServer: podExec.url });
    try {
      await harness.add({ name: 'box', uid: REAL_UID, nonce: '' });
      const ticket = await issue();
      await TerminalClient.open(url(ticket, harness), { key: '' });
      await until(() => podExec.execs.length === 1, 'the exec');
      expect(podExec.execs[0]?.command).toContainEqual(expect.stringMatching(/^--ticket=[\w-]{22}$/));
      expect(await refusedUpgrade(url(ticket, harness), { key: '' })).toMatchObject(INVALID);
    } finally {
      await harness.stop();
      await podExec.close();
    }
  });
});

describe('who is attached', () => {
  it('is told to all, over all replicas, and how large the terminal is', async () => {
    const ann = await TerminalClient.open(`${one.url}/ws/terminal/box?session=all`, { binary: true });
    await ann.frame('presence');
    const bob = await TerminalClient.open(`${two.url}/ws/terminal/box?session=all`, {
      key: BOB_KEY,
      binary: true,
    });
    await ann.framesOf('presence', 2);
    expect(ann.frames.findLast(({ type }) => type === 'presence')).toEqual({
      type: 'presence',
      people: [
        { name: 'key', mode: 'control' },
        { name: 'key', mode: 'view' },
      ],
    });
    ann.control({ type: 'resize', cols: 90, rows: 20 });
    expect(await bob.frame('size')).toEqual({ type: 'size', cols: 90, rows: 20 });
    const { body } = await one.call('GET', '/metrics');
    expect(body).toMatch(/agenttier_terminal_sessions\{.*mode="control".*\} 1/);
  });
});
