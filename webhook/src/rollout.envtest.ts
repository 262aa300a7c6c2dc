// SPDX-License-Identifier: Apache-2.0
import { SANDBOXES } from '@agenttier/crds/meta/resources';
import type { ClusterAccess } from '@agenttier/machinery/kube/access';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import { SECRETS } from '@agenttier/machinery/kube/resource';
import type { KubeObject } from '@agenttier/machinery/kube/resource';
import { systemClock } from '@agenttier/machinery/runtime/clock';
import { silentLogger } from '@agenttier/machinery/telemetry/log';
import { createRegistry } from '@agenttier/machinery/telemetry/metrics';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminAccess, adminClient, freshNamespace } from '../../e2e/envtest/server.ts';
import { Balancer } from './envtest/balancer.ts';
import { configFor, registerWebhooks, unregisterWebhooks } from './envtest/registration.ts';
import { startWebhook } from './start.ts';
import type { RunningWebhook } from './start.ts';

const CONFIGURATION = 'agenttier-rollout';
const DAY = 86_400_000;
const WRITERS = 6;

let client: KubeClient;
let access: ClusterAccess;
let install: string;
let team: string;
let balancer: Balancer;
/** How far the clock of the authority is behind the API server's. */
let behindMs = 61 * DAY;
const stops = new Map<RunningWebhook, AbortController>();

async function start(): Promise<RunningWebhook> {
  const stop = new AbortController();
  const replica = await startWebhook({
    config: { ...configFor(install, CONFIGURATION, 0), webhookPort: 0 },
    access,
    log: silentLogger,
    signal: stop.signal,
    ipAddresses: ['127.0.0.1'],
    drainDelayMs: 1_500,
    registry: createRegistry('webhook', { processMetrics: false }),
    certificates: {
      clock: { ...systemClock, now: () => Date.now() - behindMs },
      pollMs: 200,
      caLifetimeMs: 90 * DAY,
      leafLifetimeMs: 90 * DAY,
    },
  });
  stops.set(replica, stop);
  await balancer.add(replica);
  return replica;
}

async function end(replica: RunningWebhook): Promise<void> {
  stops.get(replica)?.abort();
  await replica.closed;
}

const secret = async (key: string): Promise<string> => {
  const where = { namespace: install, name: 'agenttier-webhook-tls' };
  const { data } = await client.get<KubeObject & { data: Record<string, string> }>(SECRETS, where);
  return Buffer.from(data[key] ?? '', 'base64').toString('utf8');
};

/** Creates sandboxes from several hands without a pause, as long as `while_` runs. */
async function underLoad(while_: () => Promise<void>): Promise<{ admitted: number; refused: unknown[] }> {
  const over = new AbortController();
  let admitted = 0;
  const refused: unknown[] = [];
  const spec = { image: { repository: 'ghcr.io/acme/load' } };
  const write = async (): Promise<void> => {
    const body = { metadata: { generateName: 'load-', namespace: team }, spec } as KubeObject;
    while (!over.signal.aborted) {
      await client.create(SANDBOXES, team, body, { dryRun: true }).then(
        () => (admitted += 1),
        (error: unknown) => refused.push(error),
      );
    }
  };
  const writers = Array.from({ length: WRITERS }, write);
  await while_().finally(() => over.abort());
  await Promise.all(writers);
  return { admitted, refused };
}

beforeAll(async () => {
  client = await adminClient();
  access = await adminAccess();
  install = await freshNamespace('agenttier');
  team = await freshNamespace('team');
  balancer = new Balancer();
  await registerWebhooks(client, CONFIGURATION, await balancer.listen());
  await Promise.all([start(), start()]);
});
afterAll(async () => {
  await unregisterWebhooks(client, CONFIGURATION);
  await Promise.all([...stops.keys()].map(end));
  await balancer.close();
});

describe('nothing is refused under load', () => {
  it('while authority and certificate are rotated', async () => {
    const before = { leaf: await secret('tls.crt'), ca: await secret('ca.crt') };
    const { admitted, refused } = await underLoad(async () => {
      // Past two thirds of both: a new authority is published beside the old one.
      behindMs = 0;
      await until(async () => (await secret('ca.crt')).length > before.ca.length, 'a second authority');
      expect(await secret('ca.crt')).toContain(before.ca.trim());
      expect(await secret('tls.crt'), 'the leaf waits until the new authority is trusted').toBe(before.leaf);
      // The time to settle is over: the leaf moves to the new authority.
      behindMs = -6 * 60_000;
      await until(async () => (await secret('tls.crt')) !== before.leaf, 'a new leaf');
      await systemClock.sleep(1_000);
    });
    expect(refused.map(String)).toEqual([]);
    expect(admitted).toBeGreaterThan(50);
  });

  it('while every replica is replaced, one after the other', async () => {
    const { admitted, refused } = await underLoad(async () => {
      const first = [...stops.keys()];
      for (const old of first) {
        await start();
        await end(old);
        stops.delete(old);
      }
    });
    expect(refused.map(String)).toEqual([]);
    expect(admitted).toBeGreaterThan(50);
  });
});
