// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { until } from '@agenttier/machinery/testing/until';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Harness } from '../testing/harness.ts';
import { openRaw } from '../testing/rawHttp.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.stop());

const MOST = 4096;

/** Opens connections one after the other from a process with descriptors of its own, and says how many are left. */
const FLOOD = `
const { connect } = require('node:net');
const soft = Number(process.report.getReport().userLimits.open_files.soft);
const count = Math.min(10_000, Number.isFinite(soft) ? soft - 500 : 10_000);
const [, port, bytes] = process.argv;
let opened = 0, left = 0, next = 0;
const say = () => console.log(JSON.stringify({ count, opened, left }));
const open = () => {
  if (next++ >= count) return;
  const socket = connect(Number(port), '127.0.0.1', () => { opened++; left++; socket.write(bytes); open(); });
  socket.on('error', () => {});
  socket.on('data', () => {});
  socket.on('close', () => { left--; });
};
for (let lane = 0; lane < 100; lane++) open();
setInterval(say, 50);
`;

interface Tally {
  readonly count: number;
  readonly opened: number;
  readonly left: number;
}

it.each([
  ['whose request never ends', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: '],
  ['whose request was answered', 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'],
])(
  'of 10,000 connections %s the oldest make room for those that ask',
  async (_name, bytes) => {
    const early = await openRaw(harness.url);
    const { port } = new URL(harness.url);
    const flood = spawn(process.execPath, ['-e', FLOOD, port, bytes], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      let tally: Tally | undefined;
      createInterface({ input: flood.stdout }).on('line', (line) => (tally = JSON.parse(line) as Tally));
      const evicted = early.destroyed ? undefined : once(early, 'close');
      early.resume();
      await until(() => tally !== undefined && tally.opened === tally.count, 'the flood to be over', 60_000);
      expect((await harness.call('GET', '/healthz', { key: '' })).body).toBe('ok');
      await until(() => (tally?.left ?? 0) <= MOST, 'the oldest to be cut', 30_000);
      expect(tally?.count).toBeGreaterThan(MOST);
      await evicted;
      expect((await harness.call('GET', '/api/v1/user/me')).status).toBe(200);
    } finally {
      flood.kill('SIGKILL');
    }
  },
  120_000,
);
