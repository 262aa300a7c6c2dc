// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { ExactTerminal } from './exactTerminal.ts';
import { apply, minimalSandbox, ok, until, untilPhase, walkNamespace } from './harness.ts';
import { ownRouter } from './ownRouter.ts';
import { figureOf, residentOf } from './routers.ts';

const TERMINALS = 'agenttier_terminal_sessions';
/** What buffers of one flooded terminal and its watcher may take in one router, with the garbage on top. */
const ROOM = 96 * 1024 * 1024;

describe('no byte of a terminal is lost', () => {
  const namespace = walkNamespace('walk-bytes');
  const router = ownRouter('bytes', { replicas: 2, namespaces: [namespace] });

  beforeAll(async () => {
    await ok(apply(minimalSandbox('exact'), namespace()));
    await untilPhase('exact', namespace(), 'Running');
  });

  it('G-30: in a flood of 100 MB, with a watcher that hardly reads and with heartbeats', async () => {
    const count = 12_000_000;
    const expected = createHash('sha256');
    let bytes = 0;
    for (let at = 1; at <= count; at += 10_000) {
      const part = Array.from({ length: 10_000 }, (_, index) => `${at + index}\r\n`).join('');
      bytes += part.length;
      expected.update(part);
    }
    expect(bytes).toBeGreaterThan(100_000_000);

    const got = createHash('sha256');
    let text = '';
    let received = -1;
    const client = new ExactTerminal('exact', namespace(), {
      router: router.url,
      session: 'flood',
      onBytes: (data) => {
        if (received < 0) text += data.toString('latin1');
        const start = received < 0 ? text.indexOf('begin\r\n') : 0;
        if (start < 0) return;
        const part = received < 0 ? Buffer.from(text.slice(start + 'begin\r\n'.length), 'latin1') : data;
        received = Math.max(received, 0);
        got.update(part.subarray(0, Math.max(0, bytes - received)));
        received += part.length;
      },
    });
    await client.type('stty -echo\r');
    const watcher = new ExactTerminal('exact', namespace(), {
      router: router.url,
      session: 'flood',
      mode: 'view',
      onBytes: () => {},
    });
    await until('the watcher', async () => watcher.position !== undefined);
    watcher.socket?.pause();
    const pods = await router.pods();
    const before = await Promise.all(pods.map(({ name }) => residentOf(name)));
    await client.type(`echo be''gin; seq ${count}; echo en''d\r`);
    let highest = 0;
    await until(
      `the flood; ${received} of ${bytes} bytes came`,
      async () => {
        for (const [index, { name }] of pods.entries()) {
          const grown = (await residentOf(name)) - (before[index] ?? Number.NaN);
          highest = Math.max(highest, grown);
        }
        // A watcher that reads a little now and then is moved on, and holds nobody up.
        watcher.socket?.resume();
        watcher.socket?.pause();
        return received >= bytes;
      },
      180_000,
    );
    expect(got.digest('hex')).toBe(expected.digest('hex'));
    expect([client.breaks, client.resets]).toEqual([0, 0]);
    expect(highest).toBeLessThan(ROOM);
    client.close();
    watcher.socket?.terminate();
    watcher.close();
  });

  it('while the serving router is killed twice, in 10,000 numbered lines', async () => {
    const client = new ExactTerminal('exact', namespace(), { router: router.url, session: 'killed' });
    await client.type('stty -echo\r');
    await client.type(
      "echo be''gin; seq 10000 | while read n; do echo line-$n; [ $((n % 100)) = 0 ] && sleep 0.1; done; echo en''d\r",
    );
    for (const line of [2000, 6000]) {
      await client.shows(`line-${line}\r\n`);
      const { breaks } = client;
      const serving = await until('the router that serves', async () => {
        for (const pod of await router.pods()) {
          if ((await figureOf(pod.name, TERMINALS)) === 1) return pod;
        }
        return undefined;
      });
      await router.kill(serving);
      await until('the connection to break', async () => client.breaks > breaks);
    }
    await client.shows('end\r\n', 0, 120_000);
    const lines = Array.from({ length: 10_000 }, (_, index) => `line-${index + 1}\r\n`).join('');
    const text = client.text();
    const from = text.indexOf('begin\r\n');
    expect(text.slice(from, text.indexOf('end\r\n', from)) === `begin\r\n${lines}`).toBe(true);
    expect(client.resets).toBe(0);
    expect(client.breaks).toBeGreaterThanOrEqual(2);
    client.close();
  });
});
