// SPDX-License-Identifier: Apache-2.0
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { expect, it } from 'vitest';
import { createStores } from '../cluster/caches.ts';
import { followBackups } from './backups.ts';
import { SqliteStore } from './sqlite.ts';
import { AuditTrail } from './trail.ts';

const NOW = Date.parse('2026-03-01T12:00:00Z');
const pruned = (name: string, time = '2026-03-01T11:00:00.000Z') => ({ name, time });
let version = 0;

it('are kept once, by however many replicas see it, and by one that has just come', async () => {
  const store = new SqliteStore(':memory:');
  const follow = (box: readonly ReturnType<typeof pruned>[][]) => {
    const stores = createStores();
    const trail = new AuditTrail({
      open: async () => store,
      retentionMs: 1,
      dropped: () => {},
      log: silentLogger,
    });
    followBackups({ stores, kept: trail, now: () => NOW });
    for (const list of box) {
      stores.sandboxes.applyWatch({
        metadata: { name: 'box', namespace: 'team', uid: 'u-1', resourceVersion: String(++version) },
        status: { backup: { pruned: list } },
      });
    }
    return trail;
  };
  const close = store.close.bind(store);
  store.close = async () => {};
  const replicas = [
    follow([[pruned('a')], [pruned('a')], [pruned('b')]]),
    follow([[pruned('a')], [pruned('b')]]),
    // Has come later; what is long past is not looked for.
    follow([[pruned('b'), pruned('old', '2026-02-01T00:00:00.000Z')]]),
  ];
  await Promise.all(replicas.map((trail) => trail.close()));
  const rows = await store.find({ limit: 10 });
  expect(rows.map(({ reason }) => reason).toSorted()).toEqual(['a', 'b']);
  expect(rows[0]).toMatchObject({
    type: 'BackupPruned',
    outcome: 'allowed',
    userSub: 'agenttier-operator',
    namespace: 'team',
    name: 'box',
    uid: 'u-1',
    at: Date.parse('2026-03-01T11:00:00Z'),
  });
  await close();
});
