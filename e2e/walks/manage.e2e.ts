// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiUrl, getJson, type Json, kubectl, ok, rest, until, walkNamespace } from './harness.ts';
import { openBrowserTerminal, untilPrinted } from './terminals.ts';

const INSTALL = 'agenttier';
const SMALL = {
  templateRef: { name: 'minimal-shell', kind: 'ClusterSandboxTemplate' },
  storage: { size: '1Gi' },
  resources: { requests: { cpu: '5m', memory: '16Mi' }, limits: { memory: '128Mi' } },
};

interface Person {
  readonly sub: string;
  readonly key: string;
}

const newPerson = (sub: string): Person => ({ sub, key: `atk_${randomBytes(32).toString('base64url')}` });

/** A key of somebody who is no administrator, stored as `POST /user/api-keys` would store that person's. */
function keySecret({ sub, key }: Person): object {
  const keyHash = createHash('sha256').update(key).digest('hex');
  const record = JSON.stringify({
    keyHash,
    userId: sub,
    email: '',
    name: 'walk',
    createdAt: '2026-01-01T00:00:00Z',
  });
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: `agenttier-apikey-${keyHash.slice(0, 40)}`,
      namespace: INSTALL,
      labels: { 'agenttier.io/secret-purpose': 'api-key', 'agenttier.io/walk': 'manage' },
    },
    stringData: { keyHash, record },
  };
}

/** A call as somebody, at one replica or, without one, at the Service. */
async function callAs(
  { key }: Person,
  [method, path, body]: readonly [string, string, unknown?],
  base = apiUrl,
): Promise<{ status: number; body: Json }> {
  const answer = await fetch(`${base}/api/v1${path}`, {
    method,
    headers: { 'X-API-Key': key },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

describe('what is around a sandbox, by REST', () => {
  const namespace = walkNamespace('walk-manage');
  const guest = newPerson('walk-guest');
  const crowd = Array.from({ length: 10 }, (_, i) => newPerson(`walk-crowd-${i}`));
  const at = (path = '', of = 'box') => `/sandboxes/${of}${path}?namespace=${namespace()}`;
  const run = (command: string, of = 'box') => rest('POST', at('/exec', of), { command });
  const untilRunning = (of: string) =>
    until(`${of} to run`, async () => (await rest('GET', at('', of))).body.status === 'Running', 150_000);

  beforeAll(async () => {
    const items = [guest, ...crowd].map(keySecret);
    await ok(
      kubectl(['apply', '-f', '-'], { stdin: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) }),
    );
    const made = await rest('POST', '/sandboxes', { name: 'box', namespace: namespace(), ...SMALL });
    expect(made.status).toBe(201);
    await untilRunning('box');
    expect((await run('echo of value > /workspace/note; sync')).body.exitCode).toBe(0);
  }, 180_000);

  afterAll(async () => {
    await ok(kubectl(['delete', 'secrets', '-n', INSTALL, '-l', 'agenttier.io/walk=manage', '--wait=false']));
  });

  it('lets a viewer look and not type, and a collaborator do both', async () => {
    expect((await callAs(guest, ['GET', at()])).status).toBe(404);
    const share = { identity: guest.sub, level: 'viewer' };
    expect((await rest('POST', at('/share'), share)).status).toBe(200);
    await until('the guest to see it', async () => (await callAs(guest, ['GET', at()])).status === 200);
    expect(await callAs(guest, ['POST', at('/exec'), { command: 'true' }])).toMatchObject({ status: 403 });
    expect(await callAs(guest, ['POST', at('/share'), share])).toMatchObject({ status: 403 });
    const own = await openBrowserTerminal('box', namespace());
    await untilPrinted(own, /\$ /);
    const watching = await openBrowserTerminal('box', namespace(), guest.key);
    watching.type('echo typed-by-$((40+2))\r');
    own.type('echo shown-to-$((1+1))\r');
    await untilPrinted(own, /shown-to-2/);
    await untilPrinted(watching, /shown-to-2/);
    expect(own.printed()).not.toContain('typed-by');
    watching.close();
    own.close();
    expect((await rest('POST', at('/share'), { ...share, level: 'collaborator' })).status).toBe(200);
    await until('the guest to be let in', async () => {
      const answer = await callAs(guest, ['POST', at('/exec'), { command: 'cat /workspace/note' }]);
      return answer.body.stdout === 'of value\n';
    });
    expect((await callAs(guest, ['POST', at('/stop')])).status).toBe(403);
    expect((await rest('DELETE', at(`/share/${guest.sub}`))).status).toBe(200);
    await until('the guest to be out', async () => (await callAs(guest, ['GET', at()])).status === 404);
  });

  it('lets in by a link as many as it says, of ten at once at two replicas', async () => {
    const { items } = await getJson(['pods', '-n', INSTALL, '-l', 'app.kubernetes.io/component=router']);
    const replicas = items
      .filter(({ status }: Json) => status.phase === 'Running')
      .map(({ status }: Json) => `http://${status.podIP}:8080`);
    expect(replicas.length).toBeGreaterThanOrEqual(2);
    const { token } = (await rest('POST', at('/share-links'), { maxUses: 3, expiresIn: '1h' })).body;
    const answers = await Promise.all(
      crowd.map((person, i) =>
        callAs(person, ['POST', '/share-links/redeem', { token }], replicas[i % replicas.length]),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 410)).toHaveLength(7);
    const { sharing } = (await getJson(['sandbox', 'box', '-n', namespace()])).spec;
    expect(sharing.shareLinks).toMatchObject([{ usedCount: 3 }]);
    expect(JSON.stringify(sharing)).not.toContain(token);
    expect(sharing.users).toHaveLength(3);
    const forged = JSON.stringify({ spec: { sharing: { ...sharing, users: [] } } });
    const outsider = ['--as=walk-outsider', '--as-group=system:authenticated'];
    expect(
      (
        await kubectl([
          'patch',
          'sandbox',
          'box',
          '-n',
          namespace(),
          '--type=merge',
          '-p',
          forged,
          ...outsider,
        ])
      ).code,
    ).not.toBe(0);
  });

  it('copies it and restores a backup of it, with what is in it', async () => {
    const twice = await Promise.all([rest('POST', at('/backups'), {}), rest('POST', at('/backups'), {})]);
    expect(twice.map(({ status }) => status)).toEqual([201, 201]);
    const backup = twice[0].body.name as string;
    await until('the backup to be ready', async () => {
      const { backups } = (await rest('GET', at('/backups'))).body;
      return backups.some((each: Json) => each.name === backup && each.readyToUse && each.quiesced);
    });
    expect((await run('echo of today > /workspace/note; sync')).body.exitCode).toBe(0);
    const [clone, restored] = await Promise.all([
      rest('POST', at('/clone'), {}),
      rest('POST', at(`/backups/${backup}/restore`), { name: 'restored' }),
    ]);
    expect([clone.status, restored.status]).toEqual([202, 202]);
    const copy = clone.body.name as string;
    await Promise.all([untilRunning(copy), untilRunning('restored')]);
    expect((await run('cat /workspace/note', copy)).body.stdout).toBe('of today\n');
    expect((await run('cat /workspace/note', 'restored')).body.stdout).toBe('of value\n');
    expect((await getJson(['sandbox', copy, '-n', namespace()])).spec.sharing).toBeUndefined();
    expect((await rest('DELETE', at(`/backups/${backup}`))).status).toBe(200);
    await until('the backup to be gone', async () => {
      const { backups } = (await rest('GET', at('/backups'))).body;
      return backups.every((each: Json) => each.name !== backup);
    });
  });

  it('keeps a pool as large as it is told to', async () => {
    const pool = (pools: object[]) => rest('PUT', `/warmpool/config?namespace=${namespace()}`, { pools });
    const ready = async (count: number) => {
      const { body } = await rest('GET', `/warmpool/status?namespace=${namespace()}`);
      return body.desiredCount === count && body.readyCount === count;
    };
    expect((await pool([{ template: 'minimal-shell', desiredCount: 1 }])).status).toBe(200);
    await until('one slot', () => ready(1), 120_000);
    expect((await pool([{ template: 'minimal-shell', desiredCount: 2 }])).status).toBe(200);
    await until('two slots', () => ready(2), 120_000);
    expect((await pool([])).status).toBe(200);
    expect((await getJson(['sandboxwarmpools', '-n', namespace()])).items).toEqual([]);
  });

  it('shows the cluster and what it costs', async () => {
    const { body: glance } = await rest('GET', '/cluster/status');
    expect(glance.nodesReady).toBeGreaterThan(0);
    expect(glance.sandboxPods).toBeGreaterThan(0);
    const { body } = await rest('GET', '/cluster/nodes');
    expect(body.nodes[0].requests.cpuMillis).toBeGreaterThan(0);
    const costs = (await rest('GET', `/analytics/costs?namespace=${namespace()}`)).body;
    expect(costs).toMatchObject({ currency: 'USD', per_namespace: [{ namespace: namespace() }] });
    expect(costs.total_hourly_compute).toBeGreaterThan(0);
    expect(costs.total_hourly_storage).toBeGreaterThan(0);
  });
});
