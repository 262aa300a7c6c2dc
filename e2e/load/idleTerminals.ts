// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeClient } from '@agenttier/machinery/kube/client';
import type { WebSocket } from 'ws';
import { openExact, untilReady } from './exactSocket.ts';
import { dismiss, invite, type Person, untilKnown } from './people.ts';
import { metricOf, untilReplicas } from './replicas.ts';
import { create, remove, type Target, untilStatus } from './rest.ts';
import { type Figure, figure } from './stats.ts';

/** A sandbox runs 64 shells at most, and one person has 50 terminals on a replica: each sandbox is of a person of its own. */
const EACH = 50;
const AT_ONCE = 20;
const READINGS = 10;
const SMALL = { requests: { cpu: '20m', memory: '32Mi' }, limits: { memory: '512Mi' } };
const RSS = 'process_resident_memory_bytes';

/** How many terminals each sandbox gets. */
export const spread = (count: number): number[] =>
  Array.from({ length: Math.ceil(count / EACH) }, (_, at) => Math.min(EACH, count - at * EACH));

/** Kilobytes that each terminal takes over the base. */
export const eachOver = (base: number, bytes: number, count: number): number => (bytes - base) / 1000 / count;

/** What terminals that nobody types in cost the one router that serves them all. */
export async function measureIdleTerminals(
  client: KubeClient,
  target: Target,
  count: number,
): Promise<Figure> {
  const stamp = Date.now().toString(36);
  const sandboxes = spread(count).map((terminals, at) => ({ name: `bench-idle-${stamp}-${at}`, terminals }));
  const [replica] = await untilReplicas(client, 1);
  if (replica === undefined) throw new Error('there is no router');
  const sockets: WebSocket[] = [];
  const people: Person[] = [];
  try {
    for (const { name } of sandboxes) people.push(await invite(client, name));
    await Promise.all(
      sandboxes.map(async ({ name }) => {
        await create(target, name, { resources: SMALL });
        await untilStatus(target, name, 'Running', 200);
      }),
    );
    for (const person of people) await untilKnown(replica.base, person);
    const base = await metricOf(replica, RSS);
    const wanted = sandboxes.flatMap(({ name, terminals }, who) =>
      Array.from({ length: terminals }, (_, at) => ({
        key: people[who]?.key ?? '',
        place: { name, session: `idle-${at}`, base: replica.base },
      })),
    );
    await inTurns(wanted, async ({ key, place }) => {
      const socket = openExact({ ...target, key }, place);
      sockets.push(socket);
      await untilReady(socket);
    });
    const values: number[] = [];
    for (let reading = 0; reading < READINGS; reading += 1) {
      await pause(1000);
      values.push(eachOver(base, await metricOf(replica, RSS), count));
    }
    const method = `${count} terminals in ${sandboxes.length} sandboxes on one replica, resident over its ${Math.round(base / 1e6)} MB before, each second`;
    return figure('memory of an idle terminal in the router', values, method, 'KB');
  } finally {
    for (const socket of sockets) socket.close();
    await Promise.all(people.map((person) => dismiss(client, person)));
    await Promise.all(sandboxes.map(({ name }) => remove(target, name)));
  }
}

/** Some at once, the next as soon as one is done. */
async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of left) await work(item);
    }),
  );
}
